import EspalierPluginKit
import LogFiles

/// What is known of a run beside its rows: who it is, and where its lines are on the server. In the file
/// `run.json` of its folder.
struct RunRecord: Equatable {
  let runID: String
  /// As the server spells them; nil as long as it has not answered.
  var entity: String?
  var project: String?
  /// The server's line of our first row; nil as long as it has not answered.
  var historyBase: Int?
  var outputBase: Int?
  /// Rows and lines that have arrived, as far as this side knows.
  var historySent = 0
  var outputSent = 0
  /// The last step that other folders hold of this run; nil if there are none.
  var earlierStep: Int64?

  static let fileName = "run.json"

  init(runID: String) { self.runID = runID }

  /// Nil if the folder holds none.
  init?(_ folder: LogFolder) throws(PluginError) {
    guard let bytes = try folder.read(Self.fileName),
      let json = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self)),
      let id = json["run_id"]?.string
    else { return nil }
    runID = id
    entity = json["entity"]?.string
    project = json["project"]?.string
    historyBase = json["history_base"]?.int
    outputBase = json["output_base"]?.int
    historySent = json["history_sent"]?.int ?? 0
    outputSent = json["output_sent"]?.int ?? 0
    earlierStep = json["earlier_step"]?.int.map { Int64($0) }
  }

  func write(to folder: LogFolder) throws(PluginError) {
    func number(_ value: Int?) -> JSONValue { value.map { .number(Double($0)) } ?? .null }
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    let json = JSONValue.object([
      "run_id": .string(runID), "entity": text(entity), "project": text(project),
      "history_base": number(historyBase), "output_base": number(outputBase),
      "history_sent": number(historySent), "output_sent": number(outputSent),
      "earlier_step": number(earlierStep.map { Int($0) }),
    ])
    try folder.replace(Self.fileName, with: Array((json.text + "\n").utf8))
  }
}
