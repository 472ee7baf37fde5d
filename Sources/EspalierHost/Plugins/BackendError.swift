/// What went wrong in a backend plugin.
public enum BackendError: Error, Equatable {
  /// A function of the backend returned an error.
  case failed(backend: String, operation: String, CallFailure)
  /// A function of the backend reported success with an answer that makes no sense.
  case invalidAnswer(backend: String, operation: String, detail: String)
}

extension BackendError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .failed(let backend, let operation, let failure):
      "backend '\(backend)': cannot \(operation): \(failure)" + Self.hint(failure.code)
    case .invalidAnswer(let backend, let operation, let detail):
      "backend '\(backend)': \(operation) gave \(detail); report this to the plugin's author"
    }
  }

  private static func hint(_ code: CallFailure.Code) -> String {
    switch code {
    case .outOfMemory: "; use a smaller batch or resolution, half precision, or another device"
    case .deviceLost: "; the driver gave the device up: restart the run, or try another device"
    default: ""
    }
  }
}
