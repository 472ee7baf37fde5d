/// A metric logger as a plugin writes it; `PluginRegistration.logger` offers it to the host.
///
/// One object logs one run. Only `scalars` and `close` must be written; what the others are told is
/// ignored by a logger that does not write them.
public protocol MetricLoggerPlugin: Plugin, AnyObject {
  /// Starts the log of a run.
  init(_ run: LoggerRun) throws(PluginError)

  /// Records the values of a step.
  func scalars(step: Int64, _ values: [(name: String, value: Double)]) throws(PluginError)

  /// Ends the log; the object is released afterwards.
  func close() throws(PluginError)

  /// Records all pictures of one step and tag.
  func images(step: Int64, tag: String, _ images: [LoggedImage]) throws(PluginError)

  /// Records a text.
  func text(step: Int64, tag: String, text: String) throws(PluginError)

  /// Brings everything to where it is kept.
  func flush() throws(PluginError)

  /// Records a line that the run showed to the user, without its end.
  func console(_ stream: ConsoleStream, line: String) throws(PluginError)

  /// Hears how the run ended, right before `close`. A crash calls neither.
  ///
  /// - Parameter exitCode: 0 if it is done, else what the program exits with.
  func finish(exitCode: Int32) throws(PluginError)

  /// True once somebody asked through the logger to end the run. Called after every step, from any
  /// thread, also during other calls; returns at once.
  var isStopRequested: Bool { get }
}

extension MetricLoggerPlugin {
  public func images(step: Int64, tag: String, _ images: [LoggedImage]) throws(PluginError) {}
  public func text(step: Int64, tag: String, text: String) throws(PluginError) {}
  public func flush() throws(PluginError) {}
  public func console(_ stream: ConsoleStream, line: String) throws(PluginError) {}
  public func finish(exitCode: Int32) throws(PluginError) {}
  public var isStopRequested: Bool { false }
}

/// An 8-bit RGB picture, row-major; valid during the call only.
public struct LoggedImage {
  public let caption: String
  public let width: Int
  public let height: Int
  /// `3 · width · height` bytes.
  public let rgb: UnsafeBufferPointer<UInt8>

  public init(caption: String, width: Int, height: Int, rgb: UnsafeBufferPointer<UInt8>) {
    self.caption = caption
    self.width = width
    self.height = height
    self.rgb = rgb
  }
}

/// What a line of the console was written to; the values are those of the header.
public enum ConsoleStream: Int32, Sendable {
  case output = 1
  case error = 2
}
