import EspalierABI

/// Why a call from the host failed; becomes an `esp_error`.
enum BackendError: Error {
  /// The host's request does not make sense: a bad graph, plan, binding or range.
  case invalid(String)
  /// A node's operands do not fit its operation or the plan.
  case node(Int, label: String, reason: String)
  /// A graph holds a node that this backend cannot run.
  case unsupported(node: Int, label: String, reason: String)
  /// The machine has no memory for this.
  case outOfMemory(requested: UInt64, held: UInt64, total: UInt64)
  /// The user asked to stop.
  case cancelled(node: Int, label: String)
  /// There is no plugin or device with this index.
  case notFound(String)
  /// The host's interface is too old or of another major version.
  case version(String)

  var code: Int32 {
    switch self {
    case .invalid, .node: ESP_INVALID_ARGUMENT
    case .unsupported: ESP_UNIMPLEMENTED
    case .outOfMemory: ESP_OUT_OF_MEMORY
    case .cancelled: ESP_CANCELLED
    case .notFound: ESP_NOT_FOUND
    case .version: ESP_VERSION
    }
  }

  /// The index of the node that failed, or -1.
  var nodeIndex: Int32 {
    switch self {
    case .node(let node, _, _), .unsupported(let node, _, _), .cancelled(let node, _):
      Int32(clamping: node)
    default: -1
    }
  }

  var message: String {
    switch self {
    case .invalid(let reason): "blas: \(reason)"
    case .node(let node, let label, let reason): "blas: node \(node) (\(label)): \(reason)"
    case .unsupported(let node, let label, let reason):
      "blas: node \(node) (\(label)) cannot run here: \(reason)"
    case .outOfMemory(let requested, let held, let total):
      "blas: out of memory: \(mebibytes(requested)) MiB requested, \(mebibytes(held)) MiB held, "
        + "the machine has \(mebibytes(total)) MiB; lower the batch size or the resolution"
    case .cancelled(let node, let label): "blas: stopped before node \(node) (\(label))"
    case .notFound(let what): "blas: \(what)"
    case .version(let reason): "blas: \(reason)"
    }
  }
}

private func mebibytes(_ bytes: UInt64) -> UInt64 { bytes >> 20 }

/// Runs `body` and turns what it throws into the caller's error and a code.
func reporting(
  to error: UnsafeMutablePointer<esp_error>?, _ body: () throws(BackendError) -> Void
) -> Int32 {
  do {
    try body()
    return ESP_OK
  } catch let failure {
    let code = failure.message.withCString { esp_fail(error, failure.code, $0) }
    error?.pointee.node = failure.nodeIndex
    return code
  }
}
