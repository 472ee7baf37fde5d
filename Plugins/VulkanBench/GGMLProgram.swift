import EspalierBenchKit
import Foundation

/// ggml's `test-backend-ops`, built with its Vulkan backend.
struct GGMLProgram {
  let path: String

  /// What the environment variable BENCH_GGML names; nil if nothing.
  ///
  /// - Throws: `GGMLError` if it is no program.
  static func given() throws(GGMLError) -> GGMLProgram? {
    let path = ProcessInfo.processInfo.environment["BENCH_GGML"] ?? ""
    if path.isEmpty { return nil }
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw .cannotStart(path: path, reason: "no executable file")
    }
    return GGMLProgram(path: path)
  }

  /// Measures its test cases of the three operations.
  ///
  /// - Parameters:
  ///   - device: The device's number among all that Vulkan lists; GGML_VK_VISIBLE_DEVICES in the
  ///     environment overrides it.
  ///   - storage: `f32` or `f16`, for operands that come in several types.
  ///   - isSlow: Measures one case of each operation.
  /// - Throws: `GGMLError`.
  func timings(device: Int, storage: String, isSlow: Bool) throws(GGMLError) -> [GGMLTiming] {
    var timings: [GGMLTiming] = []
    for operation in GGMLSizes.Operation.allCases {
      timings += try self.timings(
        operation, filters: operation.filters(storage: storage, isSlow: isSlow), device: device)
    }
    return timings
  }

  /// Those of the first filter that finds any; without a filter if none does: not every version knows -p, nor names the
  /// types of every operation.
  private func timings(
    _ operation: GGMLSizes.Operation, filters: [String], device: Int
  ) throws(GGMLError) -> [GGMLTiming] {
    let arguments = ["perf", "-o", operation.rawValue, "-b", "Vulkan0"]
    for filter in filters {
      let found = parse(try output(arguments + ["-p", filter], device).text)
      if !found.isEmpty { return found }
    }
    let (text, status) = try output(arguments, device)
    let found = parse(text)
    if found.isEmpty, status != 0 {
      throw .failed(command: "\(path) \(arguments.joined(separator: " "))", status: status)
    }
    return found
  }

  private func parse(_ text: String) -> [GGMLTiming] {
    GGMLTiming.all(in: text, backend: "Vulkan")
  }

  private func output(
    _ arguments: [String], _ device: Int
  ) throws(GGMLError) -> (text: String, status: Int32) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ["GGML_VK_VISIBLE_DEVICES": "\(device)"]
      .merging(ProcessInfo.processInfo.environment) { $1 }
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    do { try process.run() } catch {
      throw .cannotStart(path: path, reason: error.localizedDescription)
    }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (String(decoding: data, as: UTF8.self), process.terminationStatus)
  }
}

/// Why ggml brought no numbers.
enum GGMLError: Error, CustomStringConvertible {
  case cannotStart(path: String, reason: String)
  case failed(command: String, status: Int32)

  var description: String {
    switch self {
    case .cannotStart(let path, let reason):
      "BENCH_GGML is \(path): \(reason); expected ggml's program test-backend-ops"
    case .failed(let command, let status): "this ended with \(status): \(command)"
    }
  }
}
