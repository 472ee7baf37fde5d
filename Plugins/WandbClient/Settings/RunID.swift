package import EspalierPluginKit

/// The ids of runs.
package enum RunID {
  /// 8 random characters of `a-z0-9`.
  package static func random() -> String {
    String((0..<8).compactMap { _ in "abcdefghijklmnopqrstuvwxyz0123456789".randomElement() })
  }

  /// - Throws: `PluginError` for an id that the server does not allow.
  package static func check(_ id: String) throws(PluginError) {
    let isAllowed =
      !id.isEmpty && id.count <= 128 && trimmed(id) == id && id != "." && id != ".."
      && !id.contains { ":;,#?/'".contains($0) || $0.isNewline }
    guard isAllowed else {
      throw WandbSettings.refuse(
        "the run's id", id, "1 to 128 characters without : ; , # ? / ' and outer white space")
    }
  }
}
