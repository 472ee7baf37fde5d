/// A metric logger as a plugin writes it; `loggerTable` turns it into the functions of the boundary.
public protocol MetricLoggerPlugin: AnyObject {
  /// Records the values of a step.
  func scalars(step: Int64, _ values: [(name: String, value: Double)]) throws(PluginError)

  /// Records an 8-bit RGB picture, row-major; offered only with `LoggerOffers.image`.
  func image(
    step: Int64, tag: String, caption: String, width: Int, height: Int,
    rgb: UnsafeBufferPointer<UInt8>
  ) throws(PluginError)

  /// Records a text; offered only with `LoggerOffers.text`.
  func text(step: Int64, tag: String, text: String) throws(PluginError)

  /// Brings everything to where it is kept; offered only with `LoggerOffers.flush`.
  func flush() throws(PluginError)

  /// Ends the log; the object is released afterwards.
  func close() throws(PluginError)
}

extension MetricLoggerPlugin {
  public func image(
    step: Int64, tag: String, caption: String, width: Int, height: Int,
    rgb: UnsafeBufferPointer<UInt8>
  ) throws(PluginError) {
    throw .unimplemented("this logger takes no images")
  }

  public func text(step: Int64, tag: String, text: String) throws(PluginError) {
    throw .unimplemented("this logger takes no text")
  }

  public func flush() throws(PluginError) {}
}

/// The optional functions that a logger offers; the others are null in its table.
public struct LoggerOffers: OptionSet, Sendable {
  public let rawValue: Int

  public init(rawValue: Int) { self.rawValue = rawValue }

  public static let image = LoggerOffers(rawValue: 1)
  public static let text = LoggerOffers(rawValue: 2)
  public static let flush = LoggerOffers(rawValue: 4)
}
