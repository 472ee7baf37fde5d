import EspalierABI
package import EspalierPluginKit

/// The key that a user has for a server. Its text appears in no description.
package struct APIKey: Sendable, CustomStringConvertible, CustomReflectable {
  let secret: String

  /// Nil if the text is neither an optional prefix, a dash and at least 40 characters of
  /// `A-Z a-z 0-9 _ -`, nor a JSON web token.
  package init?(_ text: String) {
    let isKey = text.utf8.allSatisfy(Self.isWord)
    let secret = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let token = text.split(separator: ".", omittingEmptySubsequences: false)
    let isToken =
      token.count == 3 && token.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(Self.isWord) }
    guard isToken || isKey && (secret.last?.utf8.count ?? 0) >= 40 else { return nil }
    self.secret = text
  }

  package var description: String { "(an API key)" }
  package var customMirror: Mirror { Mirror(self, children: []) }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
      true
    default: false
    }
  }
}

extension APIKey {
  /// The key for a server: `WANDB_API_KEY`, else the password of the server in netrc.
  ///
  /// - Throws: `PluginError` that says where a key may stand, if there is none or it is no key.
  package static func find(
    for address: ServerAddress, _ environment: Environment
  ) throws(PluginError) -> APIKey {
    if let text = environment["WANDB_API_KEY"] {
      return try checked(trimmed(text), source: "WANDB_API_KEY")
    }
    for path in Netrc.paths(environment) {
      guard let netrc = try Netrc(path: path) else { continue }
      guard let text = netrc.password(of: address.netrcNames) else { break }
      return try checked(text, source: path)
    }
    throw PluginError(
      ESP_INVALID_ARGUMENT,
      "wandb logger: there is no API key for \(address.base); set WANDB_API_KEY, or write "
        + "'machine \(address.netrcNames[0]) login user password KEY' into ~/.netrc (the key is at "
        + "\(address.app)/authorize); WANDB_MODE=offline needs no key")
  }

  private static func checked(_ text: String, source: String) throws(PluginError) -> APIKey {
    guard let key = APIKey(text) else {
      throw PluginError(
        ESP_INVALID_ARGUMENT,
        "wandb logger: what \(source) holds is no API key: \(text.utf8.count) characters; expected "
          + "at least 40 letters, digits, '_' or '-'")
    }
    return key
  }
}
