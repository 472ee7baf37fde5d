/// What the host tells a logger about the run.
public struct LoggerRun: Sendable {
  /// Where to write; it exists.
  public let directory: String
  /// For people; empty if the host does not tell.
  public let project: String
  /// For people.
  public let name: String?
  /// The run's settings: an object of texts, numbers, booleans, lists and nulls. No secrets.
  public let config: JSONValue
  /// The step at which the run is done; nil: the host does not tell.
  public let totalSteps: Int64?
  /// The last step that is kept of an earlier run in this directory; nil: a new run.
  public let resumeStep: Int64?
  /// The user's options, those of the logger's `options`.
  public let options: PluginSettings

  /// - Parameter owner: Who reads it, for messages: `csv logger`.
  /// - Throws: `PluginError` for what the boundary does not allow.
  init(json: String, owner: String) throws(PluginError) {
    let run = try PluginSettings(json: json, owner: owner)
    directory = try run.string("directory")
    project = try run.string("project", default: "")
    name = try run.optionalString("name")
    config = try run.object("config", owner: owner).json
    totalSteps = try run.optionalInt("total_steps", in: 0...Int.max / 2).map { Int64($0) }
    resumeStep = try run.optionalInt("resume_step", in: 0...Int.max / 2).map { Int64($0) }
    options = try run.object("options", owner: owner)
  }
}
