/// A compute backend that cannot do, or did not do, what a run needs.
public enum BackendError: Error, Equatable, CustomStringConvertible {
  /// A function of the backend returned an error.
  case failed(backend: String, operation: String, CallFailure)
  /// A function of the backend reported success with an answer that makes no sense.
  case invalidAnswer(backend: String, operation: String, detail: String)
  /// A node of the graph failed: the layer path, the operation, the backend's words.
  case node(path: String, operation: String, failure: CallFailure)
  /// The backend cannot run these nodes (layer path and operation).
  case unsupported(device: String, nodes: [String])
  /// The device lacks the memory for what is planned; what would make it fit, if that is known.
  case notEnoughMemory(
    device: String, what: String, need: MemoryNeed, availableBytes: Int, remedy: String?)
  /// A tensor, named with its layer, is larger than one buffer of the device can be.
  case tooLarge(device: String, what: String, byteCount: Int, limitBytes: Int)
  /// A value bound to a graph has another shape or type than the graph declares.
  case binding(name: String, expected: String, found: String)

  public var description: String {
    switch self {
    case .failed(let backend, let operation, let failure):
      return "backend '\(backend)': cannot \(operation): \(failure)" + Self.hint(failure.code)
    case .invalidAnswer(let backend, let operation, let detail):
      return "backend '\(backend)': \(operation) gave \(detail); report this to the plugin's author"
    case .node(let path, let operation, let failure):
      return "\(operation) in \(path) failed: \(failure)" + Self.hint(failure.code)
    case .unsupported(let device, let nodes):
      let shown = nodes.prefix(8).joined(separator: "\n  ")
      let more = nodes.count > 8 ? "\n  … and \(nodes.count - 8) more" : ""
      return """
        the backend of \(device) cannot run \(nodes.count) node(s) of this graph:
          \(shown)\(more)
        choose another --backend, or update the plugin
        """
    case .notEnoughMemory(let device, let what, let need, let available, let remedy):
      return """
        \(device) has \(ByteCount(available)) free, but \(what) needs \(need)
          \(remedy ?? Self.smaller)
        """
    case .tooLarge(let device, let what, let byteCount, let limit):
      return """
        \(what) takes \(ByteCount(byteCount)), but a buffer of \(device) holds at most \(ByteCount(limit))
          \(Self.smaller)
        """
    case .binding(let name, let expected, let found):
      return "the value of '\(name)' is \(found), but the graph expects \(expected)"
    }
  }

  /// The code that a function of the backend returned; nil for what the host found out by itself.
  public var code: CallFailure.Code? {
    switch self {
    case .failed(_, _, let failure), .node(_, _, let failure): failure.code
    default: nil
    }
  }

  /// True if the user asked to stop.
  public var isCancellation: Bool { code == .cancelled }

  private static let smaller = """
    training: try --gradient_checkpointing, a smaller --train_batch_size or --resolution, --mixed_precision fp16
      generation: try a smaller --height, --width or --max_batch_size, --vae_tiling on, --mixed_precision fp16
      or choose another device with --backend
    """

  private static func hint(_ code: CallFailure.Code) -> String {
    switch code {
    case .outOfMemory: "; use a smaller batch or resolution, half precision, or another device"
    case .deviceLost: "; the driver gave the device up: restart the run, or try another device"
    default: ""
    }
  }
}
