import EspalierPluginKit
import LogFiles

/// The settings of a run as TensorBoard shows them: as a table, and as hyperparameters.
struct RunSettings {
  private let settings: [(name: String, value: JSONValue)]

  /// What is null was not set and is left out.
  init(_ config: JSONValue) {
    let members = if case .object(let members) = config { members } else { [String: JSONValue]() }
    settings = members.filter { $0.value != .null }.sorted { $0.key < $1.key }
      .map { (name: $0.key, value: $0.value) }
  }

  /// A table in Markdown.
  var table: String {
    let rows = settings.map { "| \(Self.cell($0.name)) | \(Self.cell(Self.text($0.value))) |" }
    return (["| setting | value |", "| --- | --- |"] + rows).joined(separator: "\n")
  }

  /// `_hparams_/experiment`: names and types of the settings, and the metrics to show beside them.
  func experiment(metrics: [String]) -> ProtobufMessage {
    var data = ProtobufMessage()
    data.add(2) { experiment in
      for (name, value) in settings {
        experiment.add(4) { info in
          info.add(1, name)
          info.add(4, Self.type(of: value).rawValue)
        }
      }
      for metric in metrics { experiment.add(5) { $0.add(1) { $0.add(2, metric) } } }
    }
    return data
  }

  /// `_hparams_/session_start_info`: the values.
  func start(time: Double) -> ProtobufMessage {
    var data = ProtobufMessage()
    data.add(3) { session in
      for (name, value) in settings {
        session.add(1) { entry in
          entry.add(1, name)
          entry.add(2) { Self.write(value, to: &$0) }
        }
      }
      session.add(5, time)
    }
    return data
  }

  /// `_hparams_/session_end_info` of a run that is done.
  static func success(time: Double) -> ProtobufMessage {
    var data = ProtobufMessage()
    data.add(4) { session in
      let success: Int64 = 1
      session.add(1, success)
      session.add(2, time)
    }
    return data
  }

  private enum DataType: Int64 {
    case string = 1
    case bool = 2
    case number = 3
  }

  private static func type(of value: JSONValue) -> DataType {
    switch value {
    case .bool: .bool
    case .number: .number
    default: .string
    }
  }

  /// A `google.protobuf.Value`.
  private static func write(_ value: JSONValue, to message: inout ProtobufMessage) {
    switch value {
    case .bool(let flag): message.add(4, flag)
    case .number(let number): message.add(2, number)
    default: message.add(3, text(value))
    }
  }

  private static func text(_ value: JSONValue) -> String {
    if case .string(let text) = value { text } else { value.text }
  }

  /// A text that ends no cell and starts no row.
  private static func cell(_ text: String) -> String {
    var result = ""
    for character in text {
      switch character {
      case "|": result += "\\|"
      case _ where character.isNewline: result += " "
      default: result.append(character)
      }
    }
    return result
  }
}
