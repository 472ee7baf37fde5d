import EspalierABI
package import EspalierPluginKit

/// Where a server is.
package struct ServerAddress: Sendable, Equatable {
  /// Without a slash at its end.
  package let base: String
  /// Host and, if the address has one, port.
  private let authority: String
  /// Where people look at runs, without a slash at its end.
  package let app: String

  package static let standard = "https://api.wandb.ai"

  /// - Throws: `PluginError` for what is no http or https address.
  package init(_ text: String, app: String? = nil) throws(PluginError) {
    let base = Self.withoutSlash(trimmed(text))
    guard let scheme = ["https://", "http://"].first(where: base.lowercased().hasPrefix) else {
      throw Self.refused(base)
    }
    let authority = base.dropFirst(scheme.count).prefix { !"/?#".contains($0) }
    // Credentials in an address would appear wherever the address does.
    guard !authority.isEmpty, !authority.contains("@"), !base.contains(where: \.isWhitespace) else {
      throw Self.refused(authority.contains("@") ? "an address with a user name" : base)
    }
    self.base = base
    self.authority = String(authority)
    self.app = app.map(Self.withoutSlash) ?? Self.app(base, scheme: scheme)
  }

  /// The names under which a netrc file may have its key.
  package var netrcNames: [String] {
    authority == "api.forge.coreweave.com" ? [authority, "api.wandb.ai"] : [authority]
  }

  /// The page of a run.
  func page(of place: RunPlace) -> String {
    app + "/" + pathSegment(place.entity) + "/" + pathSegment(place.project) + "/runs/"
      + pathSegment(place.run)
  }

  private static func withoutSlash(_ text: String) -> String {
    var text = text
    while text.hasSuffix("/") { text.removeLast() }
    return text
  }

  /// `api.wandb.ai` is looked at on `wandb.ai`, another `api.` host on its `app.`.
  private static func app(_ base: String, scheme: String) -> String {
    let rest = base.dropFirst(scheme.count)
    guard rest.hasPrefix("api.") else { return base }
    let host = rest.dropFirst("api.".count)
    return base.prefix(scheme.count) + (host.hasPrefix("wandb.") ? "" : "app.") + host
  }

  private static func refused(_ found: String) -> PluginError {
    PluginError(
      ESP_INVALID_ARGUMENT,
      "wandb logger: the server's address is \(found); expected https://HOST or http://HOST:PORT")
  }
}
