public import EspalierPluginKit

/// One line of a run's history: a JSON object that says by `type` what it is, then `step` and `time`, the
/// seconds since 1970.
public enum RunRow: Sendable, Equatable {
  /// Where a run begins or goes on: `project`, `config`.
  case run(step: Int64, time: Double, project: String, config: JSONValue)
  /// Metrics by name.
  case scalars(step: Int64, time: Double, [Metric])
  /// `tag`, `images`: the pictures of one step as files.
  case images(step: Int64, time: Double, tag: String, [Picture])
  /// `tag`, `text`.
  case text(step: Int64, time: Double, tag: String, String)
  /// How the run ended: `exit_code`, 0 if it is done.
  case end(step: Int64, time: Double, exitCode: Int32)

  public struct Metric: Sendable, Equatable {
    public let name: String
    public let value: Double

    public init(name: String, value: Double) { (self.name, self.value) = (name, value) }
  }

  public struct Picture: Sendable, Equatable {
    /// Relative to the folder of the row's file.
    public let file: String
    public let caption: String
    public let width: Int
    public let height: Int

    public init(file: String, caption: String, width: Int, height: Int) {
      (self.file, self.caption, self.width, self.height) = (file, caption, width, height)
    }
  }

  public var step: Int64 {
    switch self {
    case .run(let step, _, _, _), .scalars(let step, _, _), .images(let step, _, _, _),
      .text(let step, _, _, _), .end(let step, _, _):
      step
    }
  }

  public var time: Double {
    switch self {
    case .run(_, let time, _, _), .scalars(_, let time, _), .images(_, let time, _, _),
      .text(_, let time, _, _), .end(_, let time, _):
      time
    }
  }

  /// The row as a line with its end.
  public var line: String {
    var members: [(key: String, value: JSONValue)] = [
      ("type", .string(kind)), ("step", .number(Double(step))), ("time", .number(time)),
    ]
    switch self {
    case .run(_, _, let project, let config):
      members += [("project", .string(project)), ("config", config)]
    case .scalars(_, _, let metrics):
      members += metrics.map { (Self.key($0.name), Self.spelled($0.value)) }
    case .images(_, _, let tag, let pictures):
      members += [("tag", .string(tag)), ("images", .array(pictures.map(\.json)))]
    case .text(_, _, let tag, let text):
      members += [("tag", .string(tag)), ("text", .string(text))]
    case .end(_, _, let exitCode):
      members.append(("exit_code", .number(Double(exitCode))))
    }
    let texts = members.map { JSONValue.string($0.key).text + ": " + $0.value.text }
    return "{" + texts.joined(separator: ", ") + "}\n"
  }

  /// Reads a line back; nil for what is no such row.
  public init?(line: some Sequence<UInt8>) {
    guard
      case .object(let row)? = try? JSONValue(parsing: String(decoding: Array(line), as: UTF8.self)),
      case .string(let kind)? = row["type"], case .number(let number)? = row["step"],
      let step = Int64(exactly: number), case .number(let time)? = row["time"]
    else { return nil }
    switch kind {
    case "run":
      guard case .string(let project)? = row["project"], case .object? = row["config"],
        let config = row["config"]
      else { return nil }
      self = .run(step: step, time: time, project: project, config: config)
    case "scalars":
      let metrics = row.compactMap { key, value -> Metric? in
        guard let value = Self.number(value), !Self.reserved.contains(key) else { return nil }
        return Metric(name: Self.name(key), value: value)
      }
      self = .scalars(step: step, time: time, metrics.sorted { $0.name < $1.name })
    case "images":
      guard case .string(let tag)? = row["tag"], case .array(let pictures)? = row["images"] else {
        return nil
      }
      self = .images(step: step, time: time, tag: tag, pictures.compactMap(Picture.init))
    case "text":
      guard case .string(let tag)? = row["tag"], case .string(let text)? = row["text"] else {
        return nil
      }
      self = .text(step: step, time: time, tag: tag, text)
    case "end":
      guard case .number(let code)? = row["exit_code"], let exitCode = Int32(exactly: code) else {
        return nil
      }
      self = .end(step: step, time: time, exitCode: exitCode)
    default: return nil
    }
  }

  private var kind: String {
    switch self {
    case .run: "run"
    case .scalars: "scalars"
    case .images: "images"
    case .text: "text"
    case .end: "end"
    }
  }

  private static let reserved: Set<String> = ["type", "step", "time"]

  /// The key of a metric; one that would hide a key of every row stands below `metric/`.
  private static func key(_ name: String) -> String {
    reserved.contains(name) || name.hasPrefix("metric/") ? "metric/" + name : name
  }

  private static func name(_ key: String) -> String {
    key.hasPrefix("metric/") ? String(key.dropFirst("metric/".count)) : key
  }

  /// JSON has no spelling for what is not finite; these are the ones that other programs use in strings.
  private static func spelled(_ value: Double) -> JSONValue {
    if value.isFinite { return .number(value) }
    return .string(value.isNaN ? "NaN" : value < 0 ? "-Infinity" : "Infinity")
  }

  private static func number(_ value: JSONValue) -> Double? {
    switch value {
    case .number(let number): number
    case .string("NaN"): .nan
    case .string("Infinity"): .infinity
    case .string("-Infinity"): -.infinity
    default: nil
    }
  }
}

extension RunRow.Picture {
  fileprivate var json: JSONValue {
    .object([
      "file": .string(file), "caption": .string(caption), "width": .number(Double(width)),
      "height": .number(Double(height)),
    ])
  }

  fileprivate init?(_ json: JSONValue) {
    guard case .object(let members) = json, case .string(let file)? = members["file"],
      case .string(let caption)? = members["caption"], case .number(let width)? = members["width"],
      case .number(let height)? = members["height"], let width = Int(exactly: width),
      let height = Int(exactly: height)
    else { return nil }
    self.init(file: file, caption: caption, width: width, height: height)
  }
}

extension RunRow {
  /// A file's name without its ending, from a tag that may hold any characters.
  public static func pictureName(tag: String, step: Int64, index: Int) -> String {
    let safe = tag.map { character in
      character.isASCII && (character.isLetter || character.isNumber || "-_.".contains(character))
        ? character : "_"
    }
    return "\(String(safe))-\(step)-\(index)"
  }
}
