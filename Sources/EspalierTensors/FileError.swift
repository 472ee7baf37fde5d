import Glibc

/// A file operation that the system refused.
public struct FileError: Error, CustomStringConvertible, Equatable {
  public let path: String
  /// What was tried, as a verb: open, read, write, rename, …
  public let operation: String
  /// The system's `errno`.
  public let code: Int32

  public init(path: String, operation: String, code: Int32) {
    self.path = path
    self.operation = operation
    self.code = code
  }

  public var description: String {
    let reason = String(cString: strerror(code))
    return "cannot \(operation) \(path): \(reason)\(hint)"
  }

  private var hint: String {
    switch code {
    case ENOENT: "; check the path"
    case ENOSPC: "; free some disk space or choose another folder"
    case EACCES, EPERM: "; check the permissions"
    case EISDIR: "; a file was expected, not a folder or a device"
    case ENOMEM:
      "; it needs more memory or address space than this process may have (see ulimit -v)"
    default: ""
    }
  }
}
