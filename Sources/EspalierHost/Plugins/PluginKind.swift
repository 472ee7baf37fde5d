import EspalierABI

/// What a plugin does, and the KIND in its file name `libespalier-KIND-NAME.so`.
public enum PluginKind: String, Sendable, CaseIterable, Codable {
  case backend, scheduler, logger, communicator

  /// The kind's number in the boundary header.
  var code: Int32 {
    switch self {
    case .backend: ESP_KIND_BACKEND
    case .scheduler: ESP_KIND_SCHEDULER
    case .logger: ESP_KIND_LOGGER
    case .communicator: ESP_KIND_COMMUNICATOR
    }
  }

  init?(code: Int32) {
    guard let kind = Self.allCases.first(where: { $0.code == code }) else { return nil }
    self = kind
  }
}
