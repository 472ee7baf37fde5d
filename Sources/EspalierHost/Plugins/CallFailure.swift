import EspalierABI

/// The error that a plugin's function returned, taken from its `esp_error`.
public struct CallFailure: Error, Equatable, Sendable {
  /// The error codes of the boundary, `ESP_…`.
  public enum Code: Int32, Sendable {
    case cancelled = 1
    case invalidArgument, unimplemented, outOfMemory, deviceLost, timeout, io, notFound, version
    case internalError

    /// In words.
    public var summary: String {
      switch self {
      case .cancelled: "cancelled"
      case .invalidArgument: "invalid argument"
      case .unimplemented: "not implemented"
      case .outOfMemory: "out of memory"
      case .deviceLost: "device lost"
      case .timeout: "timeout"
      case .io: "input/output error"
      case .notFound: "not found"
      case .version: "version mismatch"
      case .internalError: "internal error"
      }
    }
  }

  public let code: Code
  /// `errno`, `VkResult`, …; 0 if none.
  public let nativeCode: Int32
  /// The graph node that failed, nil if none is named.
  public let node: Int?
  /// The plugin's own words; may be empty.
  public let message: String

  public init(code: Code, nativeCode: Int32 = 0, node: Int? = nil, message: String) {
    self.code = code
    self.nativeCode = nativeCode
    self.node = node
    self.message = message
  }

  /// Reads what the callee filled in; `status` is what it returned, the message need not end in zero.
  init(status: Int32, _ error: borrowing esp_error) {
    let message = withUnsafeBytes(of: error.message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    self.init(
      code: Code(rawValue: status) ?? .internalError, nativeCode: error.native_code,
      node: error.node >= 0 ? Int(error.node) : nil, message: message)
  }
}

extension CallFailure: CustomStringConvertible {
  public var description: String {
    var text = message.isEmpty ? code.summary : "\(message) (\(code.summary)"
    if nativeCode != 0 { text += message.isEmpty ? " (code \(nativeCode)" : ", code \(nativeCode)" }
    return text.contains("(") && !text.hasSuffix(")") ? text + ")" : text
  }
}

/// Calls a function of a plugin with a fresh error record.
///
/// - Throws: `CallFailure` if it returns anything but `ESP_OK`.
func callPlugin(
  _ body: (UnsafeMutablePointer<esp_error>) -> Int32
) throws(CallFailure) {
  var error = esp_error()
  error.struct_size = UInt32(MemoryLayout<esp_error>.size)
  error.node = -1
  let status = body(&error)
  if status != ESP_OK { throw CallFailure(status: status, error) }
}
