import EspalierABI
import EspalierCheckpoints
import Foundation
import TestSupport

/// A logger plugin called through its C table.
final class LoggerUnderTest {
  /// An 8-bit RGB picture.
  struct Picture {
    var caption = ""
    let width: Int
    let height: Int
    let rgb: [UInt8]

    /// A picture of one colour that grows brighter to the right.
    init(_ caption: String = "", width: Int, height: Int, red: UInt8 = 200) {
      (self.caption, self.width, self.height) = (caption, width, height)
      rgb = (0..<width * height).flatMap { [red, UInt8($0 % width * 255 / width), 40] }
    }

    init(noise rgb: [UInt8], width: Int, height: Int) {
      (self.rgb, self.width, self.height) = (rgb, width, height)
    }
  }

  private let api: esp_logger_api
  private var handle: OpaquePointer?

  /// - Parameter name: The plugin's: `csv`.
  init(
    _ name: String, in folder: String, project: String = "p", config: [String: JSONValue] = [:],
    totalSteps: Int? = nil, resumeStep: Int? = nil, options: [String: JSONValue] = [:]
  ) throws {
    api = try PluginLibrary("logger-" + name).api(esp_logger_api.self)
    var run: [String: JSONValue] = [
      "directory": .string(folder), "project": .string(project), "config": .object(config),
      "options": .object(options),
    ]
    run["total_steps"] = totalSteps.map { .number($0) }
    run["resume_step"] = resumeStep.map { .number($0) }
    let open = api.open
    var handle: OpaquePointer?
    try call { open(JSONValue.object(run).text, &handle, $0) }
    self.handle = handle
  }

  func log(_ step: Int, _ values: KeyValuePairs<String, Double>) throws {
    let handle = try unwrap(handle)
    let copies = values.map { strdup($0.key) }
    defer { for copy in copies { free(copy) } }
    let names = try copies.map { UnsafePointer<CChar>(try unwrap($0)) }
    try call { api.scalars(handle, Int64(step), names, values.map(\.value), values.count, $0) }
  }

  func log(_ step: Int, tag: String = "validation", _ pictures: [Picture]) throws {
    let (handle, images) = (try unwrap(handle), try unwrap(api.images))
    let captions = pictures.map { strdup($0.caption) }
    let pixels = pictures.map { picture in
      let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: picture.rgb.count)
      _ = copy.initialize(from: picture.rgb)
      return copy
    }
    defer {
      for caption in captions { free(caption) }
      for copy in pixels { copy.deallocate() }
    }
    let list = try pictures.enumerated().map { index, picture in
      esp_image(
        caption: try unwrap(captions[index]), width: UInt32(picture.width),
        height: UInt32(picture.height), rgb: try unwrap(UnsafePointer(pixels[index].baseAddress)))
    }
    try list.withUnsafeBufferPointer { list in
      let first = try unwrap(list.baseAddress)
      try call { images(handle, Int64(step), tag, first, list.count, $0) }
    }
  }

  func log(_ step: Int, tag: String, text: String) throws {
    let (handle, log) = (try unwrap(handle), try unwrap(api.text))
    try call { log(handle, Int64(step), tag, text, $0) }
  }

  func flush() throws {
    let (handle, flush) = (try unwrap(handle), try unwrap(api.flush))
    try call { flush(handle, $0) }
  }

  /// Ends the log as a host does: how the run ended, then the end itself.
  func close(exitCode: Int32? = nil) throws {
    let handle = try unwrap(handle)
    self.handle = nil
    if let exitCode, let finish = api.finish { try call { finish(handle, exitCode, $0) } }
    try call { api.close(handle, $0) }
  }
}

/// The text of a file.
func contents(_ path: String) throws -> String {
  try String(contentsOfFile: path, encoding: .utf8)
}
