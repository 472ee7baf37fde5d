package import EspalierPluginKit

/// The run that is to be on the server.
package struct RunPlan: Sendable {
  let settings: WandbSettings
  let runID: String
  /// The run's settings, by name.
  let config: [String: JSONValue]
  /// Whether the server may have it already.
  let mayExist: Bool

  package init(
    settings: WandbSettings, runID: String, config: [String: JSONValue], mayExist: Bool
  ) {
    self.settings = settings
    self.runID = runID
    self.config = config
    self.mayExist = mayExist
  }

  /// The variables of the upsert that creates the run, or goes on with `remote`.
  ///
  /// - Parameter entity: As the server once spelled it, where the user names none.
  func variables(_ remote: RemoteRun?, entity: String?) -> [String: JSONValue] {
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    return [
      "id": text(remote?.id), "name": .string(runID), "project": .string(settings.project),
      "entity": text(entity), "groupName": text(settings.group),
      "displayName": text(settings.name), "notes": text(settings.notes),
      "jobType": text(settings.jobType), "program": .string("espalier"),
      "tags": settings.tags.map { .array($0.map { .string($0) }) } ?? .null,
      "config": .string(JSONValue.object(entries(over: remote?.config ?? [:])).text),
    ]
  }

  /// The config as the server wants it, every value in an object; old entries that are not set now stay.
  private func entries(over old: [String: JSONValue]) -> [String: JSONValue] {
    var own = old["_wandb"]?["value"]?.members ?? [:]
    // Marks the run as started. 13: the platform.
    if own["t"] == nil { own["t"] = .object(["13": .string("linux")]) }
    let new = config.mapValues { JSONValue.object(["value": $0.withFiniteNumbers]) }
    return old.merging(new) { _, new in new }
      .merging(["_wandb": .object(["value": .object(own)])]) { _, new in new }
  }
}

extension JSONValue {
  /// The value with texts in the place of what JSON cannot spell.
  fileprivate var withFiniteNumbers: JSONValue {
    switch self {
    case .number(let number) where !number.isFinite: .string("\(number)")
    case .array(let elements): .array(elements.map(\.withFiniteNumbers))
    case .object(let members): .object(members.mapValues(\.withFiniteNumbers))
    default: self
    }
  }
}
