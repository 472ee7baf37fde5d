import EspalierPluginKit
import Foundation
import Synchronization
import TestSupport
import Testing
import WandbClient

/// A training's log folder, and loggers that write into it one after the other.
final class RunUnderTest: Sendable {
  let folder: TemporaryFolder
  private let environment: [String: String]
  private let options: [String: JSONValue]
  private let messages = Mutex<[String]>([])

  /// Short waits, so that a test of many failures does not take minutes.
  static let fast: [String: JSONValue] = [
    "interval_seconds": .number(0.05), "retry_seconds": .number(0.05),
    // Beside other tests a server may take long.
    "finish_seconds": .number(25),
  ]

  init(_ environment: [String: String], _ options: [String: JSONValue] = fast) throws {
    folder = try temporaryFolder()
    self.environment = environment
    self.options = options
  }

  /// All that loggers told the user.
  var log: String { messages.withLock { $0.joined(separator: "\n") } }

  func logger(
    resumeStep: Int64? = nil, _ more: [String: JSONValue] = [:]
  ) throws -> WandbMetricLogger {
    let json = JSONValue.object(options.merging(more) { _, new in new }).text
    return try WandbMetricLogger(
      RunFacts(
        directory: folder.path, project: "a project é",
        config: ["learning_rate": .number(1e-4), "prompts": .array([.string("a \"b\"\n")])],
        resumeStep: resumeStep),
      options: PluginSettings(json: json, owner: "wandb logger"),
      environment: Environment(environment)
    ) { [self] level, message in
      messages.withLock { $0.append("\(level): \(message)") }
    }
  }

  /// Logs steps as a training does: numbers every step, two images every third.
  func train(
    _ logger: WandbMetricLogger, _ steps: ClosedRange<Int64>, pause: UInt32 = 0
  ) throws {
    for step in steps {
      try logger.scalars(step: step, [("loss", 1 / Double(step)), ("lr", 1e-4)])
      try logger.console(.error, line: "step \(step)")
      if step % 3 == 0 { try logImages(logger, step: step) }
      if pause > 0 { usleep(pause) }
    }
  }

  func logImages(_ logger: WandbMetricLogger, step: Int64, tag: String = "validation") throws {
    let pixels = (0..<7 * 5 * 3).map { UInt8(truncatingIfNeeded: $0 &* Int(step)) }
    try pixels.withUnsafeBufferPointer { pixels in
      let image = LoggedImage(caption: "caption", width: 7, height: 5, rgb: pixels)
      try logger.images(step: step, tag: tag, [image, image])
    }
  }

  /// Waits until something holds, at most half a minute.
  static func wait(
    _ reason: Comment, sourceLocation: SourceLocation = #_sourceLocation,
    until holds: () throws -> Bool
  ) throws {
    let start = ContinuousClock.now
    while try !holds() {
      try #require(
        ContinuousClock.now - start < .seconds(30), reason, sourceLocation: sourceLocation)
      usleep(10_000)
    }
  }
}

extension RunUnderTest {
  /// Takes over the files of another run as they are now.
  func take(_ other: RunUnderTest) throws {
    for name in try other.folder.contents() {
      try FileManager.default.copyItem(
        atPath: other.folder.file(name), toPath: folder.file(name))
    }
  }
}
