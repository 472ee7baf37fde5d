public import EspalierABI

/// Why a plugin refuses a call: a code of the boundary and a sentence for people.
public struct PluginError: Error, CustomStringConvertible, Equatable {
  /// `ESP_INVALID_ARGUMENT`, `ESP_IO`, …; never `ESP_OK`.
  public let code: Int32
  /// What failed, expected and found.
  public let message: String
  /// The graph node that failed, if it was one.
  public let node: Int?
  /// The number that the system or driver gave (`errno`, `VkResult`, …); 0 if none.
  public let nativeCode: Int32

  public init(_ code: Int32, _ message: String, node: Int? = nil, nativeCode: Int32 = 0) {
    self.code = code
    self.message = message
    self.node = node
    self.nativeCode = nativeCode
  }

  /// A call or a setting that makes no sense.
  public static func invalidArgument(_ message: String) -> PluginError {
    PluginError(ESP_INVALID_ARGUMENT, message)
  }

  /// A call that the plugin does not offer.
  public static func unimplemented(_ message: String) -> PluginError {
    PluginError(ESP_UNIMPLEMENTED, message)
  }

  /// A node that is wrong, cannot run or did not run.
  public static func atNode(
    _ index: Int, _ label: String, _ reason: String, code: Int32 = ESP_INVALID_ARGUMENT
  ) -> PluginError {
    PluginError(code, "node \(index) (\(label)): \(reason)", node: index)
  }

  public var description: String { message }
}

/// Runs `body`; an error that it throws goes into the host's `error` and becomes the returned code.
///
/// Every function of a C table that can fail is one call of this.
public func guardCall(
  _ error: UnsafeMutablePointer<esp_error>?, _ body: () throws -> Void
) -> Int32 {
  do {
    try body()
    return ESP_OK
  } catch let failure as PluginError {
    let code = esp_fail(
      error, failure.code == ESP_OK ? ESP_INTERNAL : failure.code, failure.message)
    if let node = failure.node { error?.pointee.node = Int32(clamping: node) }
    error?.pointee.native_code = failure.nativeCode
    return code
  } catch let failure {
    return esp_fail(error, ESP_INTERNAL, "\(failure)")
  }
}
