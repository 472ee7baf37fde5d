import EspalierCheckpoints
import EspalierImages
import EspalierTensors
import Foundation
import TestSupport
import Testing

/// A small data set and the runs on it, in a folder that removes itself.
final class TrainingFolder {
  /// Which metadata file describes the pictures.
  enum Layout: String, CaseIterable { case jsonl, csv, promptJSON }

  let folder: TemporaryFolder
  static let sampleCount = 6

  init(_ layout: Layout = .jsonl) throws {
    folder = try temporaryFolder()
    try make("data")
    for index in 0..<Self.sampleCount {
      try Self.picture(index).writePNG(to: data("\(index).png"))
      try Self.control(index).writePNG(to: data("c\(index).png"))
    }
    try write(layout)
  }

  func file(_ name: String) -> String { folder.file(name) }
  func data(_ name: String) -> String { folder.file("data/" + name) }

  func make(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
  }

  static func picture(_ index: Int, width: Int = 128, height: Int = 128) -> Image {
    let bytes = (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 / 96 &* (index + 3)) }
    return Image(width: width, height: height, channels: 3, bytes: bytes)
  }

  /// A white bar on black.
  static func control(_ index: Int, width: Int = 128, height: Int = 128) -> Image {
    let bytes: [UInt8] = (0..<width * height * 3).map { place in
      let x = place / 3 % width
      return x / 8 == index + 2 ? 255 : 0
    }
    return Image(width: width, height: height, channels: 3, bytes: bytes)
  }

  private func write(_ layout: Layout) throws {
    let rows = (0..<Self.sampleCount).map { ("\($0).png", "c\($0).png", "bar \($0)") }
    switch layout {
    case .jsonl:
      try write(
        rows.map {
          #"{"file_name": "\#($0)", "conditioning_image_file_name": "\#($1)", "text": "\#($2)"}"#
        }, to: "metadata.jsonl")
    case .csv:
      try write(
        ["file_name,conditioning_image_file_name,text"] + rows.map { "\($0),\($1),\"\($2)\"" },
        to: "metadata.csv")
    case .promptJSON:
      try write(
        rows.map { #"{"source": "\#($1)", "target": "\#($0)", "prompt": "\#($2)"}"# },
        to: "prompt.json")
    }
  }

  /// Writes lines into a file of the data folder.
  func write(_ lines: [String], to name: String) throws {
    try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: data(name))
  }

  /// The arguments of a short run into the folder `output`: 2 samples per micro-batch, 64×64 pixels.
  func arguments(
    _ output: String, steps: Int, model: String? = nil, _ more: [String] = []
  ) -> [String] {
    [
      "train", "--pretrained_model_name_or_path", model ?? Fixtures.path("tiny-sdxl"),
      "--train_data_dir", file("data"), "--output_dir", file(output), "--resolution", "64",
      "--train_batch_size", "2", "--max_train_steps", "\(steps)", "--seed", "3",
      "--learning_rate", "1e-3", "--report_to", "csv", "--backend",
      TestBackend.current,
      "--cache_dir", file("cache"),
    ] + more
  }

  /// Runs it and expects success.
  @discardableResult
  func train(
    _ output: String, steps: Int, _ more: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Program.Result {
    let result = try Program.run(arguments(output, steps: steps, more))
    #expect(
      result.status == 0 && !result.isKilled, Comment(rawValue: result.error),
      sourceLocation: sourceLocation)
    return result
  }

  func adapterBytes(_ output: String) throws -> Data {
    try Data(
      contentsOf: URL(fileURLWithPath: file(output) + "/diffusion_pytorch_model.safetensors"))
  }

  /// The columns of `metrics.csv`, by name.
  func metrics(_ output: String) throws -> [String: [Double]] {
    try Self.columns(file(output) + "/logs/metrics.csv")
  }

  /// The columns of a file of numbers, by name.
  static func columns(_ path: String) throws -> [String: [Double]] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let rows = text.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
    var result: [String: [Double]] = [:]
    for (column, name) in try #require(rows.first).enumerated() {
      result[name] = rows.dropFirst().map { Double($0[column]) ?? .nan }
    }
    return result
  }

  func json(_ name: String) throws -> JSONValue {
    try JSONValue(parsing: Data(contentsOf: URL(fileURLWithPath: file(name))))
  }

  /// The steps of all folders named `checkpoint-STEP`.
  func checkpoints(_ output: String) -> [Int] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: file(output))) ?? []
    return names.compactMap { name in
      name.hasPrefix("checkpoint-") ? Int(name.dropFirst("checkpoint-".count)) : nil
    }.sorted()
  }

  /// Expects a state to be complete: all files there, readable and of one step.
  func expectWhole(
    _ output: String, _ step: Int, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let state = output + "/checkpoint-\(step)"
    #expect(try json(state + "/training_state.json")["step"]?.int == step)
    let weights = try SafetensorsFile(
      path: file(state + "/t2iadapter/diffusion_pytorch_model.safetensors"))
    let moments = try SafetensorsFile(path: file(state + "/optimizer.safetensors"))
    #expect(moments.names.count == 2 * weights.names.count, sourceLocation: sourceLocation)
    for name in weights.names { _ = try weights.tensor(name) }
    for name in moments.names { _ = try moments.tensor(name) }
    #expect(
      try json(state + "/t2iadapter/config.json")["_class_name"]?.string == "T2IAdapter",
      sourceLocation: sourceLocation)
  }
}
