import EspalierABI
import EspalierPluginKit
import Glibc

/// The passwords of a netrc file by machine.
///
/// Source: the format of ftp(1): words; `machine NAME`, `default`, `login`, `password`, `account`, and
/// `macdef`, which lasts until an empty line. What follows `default` is for no machine in particular, and
/// a key is no such password.
package struct Netrc {
  private var passwords: [String: String] = [:]

  /// Where to look: `$NETRC`, else `~/.netrc`, else `~/_netrc`.
  package static func paths(_ environment: Environment) -> [String] {
    if let path = environment["NETRC"] { return [path] }
    guard let home = environment["HOME"] else { return [] }
    return [home + "/.netrc", home + "/_netrc"]
  }

  /// Nil if there is no such file.
  ///
  /// - Throws: `PluginError` for a file that cannot be read.
  init?(path: String) throws(PluginError) {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    if file < 0 && (errno == ENOENT || errno == ENOTDIR) { return nil }
    guard file >= 0 else { throw Self.failure(path) }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count < 1 << 20 {
      let count = read(file, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure(path) }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    self.init(text: String(decoding: bytes, as: UTF8.self))
  }

  package init(text: String) {
    var words: [Substring] = []
    var isMacro = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let parts = line.split(whereSeparator: \.isWhitespace)
      if isMacro {
        isMacro = !parts.isEmpty
      } else if parts.first?.hasPrefix("#") != true {
        words += parts
        isMacro = parts.contains("macdef")
      }
    }
    var rest = words.makeIterator()
    var machine: String?
    while let word = rest.next() {
      switch word {
      case "machine": machine = rest.next().map(String.init)
      case "default": machine = nil
      case "password":
        let password = rest.next().map(String.init)
        if let machine, passwords[machine] == nil { passwords[machine] = password }
      case "login", "account", "macdef": _ = rest.next()
      default: break
      }
    }
  }

  /// The password of the first machine that is there.
  package func password(of machines: [String]) -> String? {
    machines.lazy.compactMap { passwords[$0] }.first
  }

  private static func failure(_ path: String) -> PluginError {
    PluginError(
      ESP_IO, "wandb logger: cannot read \(path): \(String(cString: strerror(errno)))",
      nativeCode: errno)
  }
}
