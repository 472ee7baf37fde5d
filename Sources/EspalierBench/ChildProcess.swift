import Foundation

/// A process of its own for each measurement, so that none sees the memory of another.
struct ChildProcess {
  let program: String
  let arguments: [String]
  /// Variables that the process must not inherit.
  var withoutVariables: [String] = []

  /// The path of this program.
  static func ownPath() throws -> String {
    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  }

  /// Runs to the end; standard error goes where ours goes.
  ///
  /// - Returns: Standard output.
  /// - Throws: `ChildProcessError`.
  func output() throws -> String {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment
      .filter { !withoutVariables.contains($0.key) }
    process.standardOutput = pipe
    do { try process.run() } catch {
      throw ChildProcessError.cannotStart(program: program, reason: "\(error)")
    }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      throw ChildProcessError.failed(
        command: ([program] + arguments).joined(separator: " "), status: process.terminationStatus)
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// Runs to the end and reads the last line that was printed.
  ///
  /// - Throws: `ChildProcessError`.
  func measurement() throws -> Measurement {
    let text = try output()
    let line = text.split(separator: "\n").last ?? ""
    do {
      return try JSONDecoder().decode(Measurement.self, from: Data(line.utf8))
    } catch {
      throw ChildProcessError.unreadable(program: program, line: String(line))
    }
  }
}

/// Why a measurement brought no result.
enum ChildProcessError: Error, CustomStringConvertible {
  case cannotStart(program: String, reason: String)
  case failed(command: String, status: Int32)
  case unreadable(program: String, line: String)

  var description: String {
    switch self {
    case .cannotStart(let program, let reason): "cannot start \(program): \(reason)"
    case .failed(let command, let status): "this ended with \(status): \(command)"
    case .unreadable(let program, let line):
      "\(program) printed no measurement but: \(line.isEmpty ? "nothing" : line)"
    }
  }
}
