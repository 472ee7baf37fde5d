/// A metric logger as a plugin writes it; `loggerTable` turns it into the functions of the boundary.
public protocol MetricLoggerPlugin: AnyObject {
  /// Records the values of a step.
  func scalars(step: Int64, _ values: [(name: String, value: Double)]) throws(PluginError)

  /// Records all pictures of one step and tag; offered only with `LoggerOffers.images`.
  func images(step: Int64, tag: String, _ images: [LoggedImage]) throws(PluginError)

  /// Records a text; offered only with `LoggerOffers.text`.
  func text(step: Int64, tag: String, text: String) throws(PluginError)

  /// Brings everything to where it is kept; offered only with `LoggerOffers.flush`.
  func flush() throws(PluginError)

  /// Records a line that the run showed to the user; offered only with `LoggerOffers.console`.
  func console(_ stream: ConsoleStream, line: String) throws(PluginError)

  /// Hears how the run ended, right before `close`; offered only with `LoggerOffers.finish`. A crash
  /// calls neither.
  ///
  /// - Parameter exitCode: 0 if it is done, else what the program exits with.
  func finish(exitCode: Int32) throws(PluginError)

  /// True once somebody asked through the logger to end the run; offered only with
  /// `LoggerOffers.stopRequest`. Called from any thread, also during other calls; returns at once.
  var isStopRequested: Bool { get }

  /// Ends the log; the object is released afterwards.
  func close() throws(PluginError)
}

extension MetricLoggerPlugin {
  public func images(step: Int64, tag: String, _ images: [LoggedImage]) throws(PluginError) {
    throw .unimplemented("this logger takes no images")
  }

  public func text(step: Int64, tag: String, text: String) throws(PluginError) {
    throw .unimplemented("this logger takes no text")
  }

  public func flush() throws(PluginError) {}

  public func console(_ stream: ConsoleStream, line: String) throws(PluginError) {
    throw .unimplemented("this logger takes no console text")
  }

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
}

/// What a line of the console was written to; the values are those of the header.
public enum ConsoleStream: Int32, Sendable {
  case output = 1
  case error = 2
}

/// The optional functions that a logger offers; the others are null in its table.
public struct LoggerOffers: OptionSet, Sendable {
  public let rawValue: Int

  public init(rawValue: Int) { self.rawValue = rawValue }

  public static let images = LoggerOffers(rawValue: 1)
  public static let text = LoggerOffers(rawValue: 2)
  public static let flush = LoggerOffers(rawValue: 4)
  public static let console = LoggerOffers(rawValue: 8)
  public static let finish = LoggerOffers(rawValue: 16)
  public static let stopRequest = LoggerOffers(rawValue: 32)
}
