public import EspalierABI

/// An error that came through the boundary, or an answer that makes no sense.
public struct BackendFailure: Error, CustomStringConvertible {
  /// `ESP_…`.
  public let code: Int32
  public let message: String
  /// The graph node that failed, or -1.
  public let node: Int32

  public init(code: Int32 = ESP_INTERNAL, message: String, node: Int32 = -1) {
    self.code = code
    self.message = message
    self.node = node
  }

  public var description: String { "\(message) (code \(code))" }
}

/// Calls a function of the boundary with a fresh error record.
///
/// - Throws: `BackendFailure` if it returns anything but `ESP_OK`.
public func checked(
  _ function: String = "", _ call: (UnsafeMutablePointer<esp_error>) throws -> Int32
) throws {
  var error = esp_error()
  error.struct_size = UInt32(MemoryLayout<esp_error>.size)
  error.node = -1
  let code = try call(&error)
  guard code != ESP_OK else { return }
  let words = withUnsafeBytes(of: error.message) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
  let message = words.isEmpty ? "no reason given" : words
  throw BackendFailure(
    code: code, message: function.isEmpty ? message : "\(function): \(message)", node: error.node)
}
