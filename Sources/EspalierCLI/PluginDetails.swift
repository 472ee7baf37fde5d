import EspalierCheckpoints
import EspalierHost

/// One plugin in full, as text.
enum PluginDetails {
  /// What it is, what it offers, and every option with its type, default and meaning.
  static func text(_ entry: PluginInventory.Entry) -> String {
    var lines = ["\(entry.kind.rawValue) \(entry.name)", "  file     \(entry.file)"]
    switch entry.outcome {
    case .refused(let reason): lines.append("  refused  \(reason)")
    case .shadowed(let winner): lines.append("  shadowed by \(winner)")
    case .usable(let contents):
      lines += ["  version  \(contents.version)", "  summary  \(contents.summary)"]
      if entry.kind == .backend {
        lines += contents.devices.isEmpty ? ["", "  no device"] : [""]
        lines += contents.devices.flatMap(PluginListing.lines).map { "  " + $0 }
      }
      if entry.kind == .scheduler {
        lines += contents.schedulers.flatMap { scheduler($0, among: contents.schedulers) }
      } else {
        lines += [""] + options(contents.options, of: entry.kind).map { "  " + $0 }
      }
    }
    return lines.joined(separator: "\n")
  }

  /// A class with its options; another short name of it with what that stands for.
  private static func scheduler(
    _ entry: SchedulerClass, among all: [SchedulerClass]
  ) -> [String] {
    let first = all.first { $0.className == entry.className }
    var lines = ["", "  \(entry.shortName): \(entry.className)", "    \(entry.summary)"]
    if !entry.preset.isEmpty {
      let preset = entry.preset.map { "\($0.key)=\($0.value.optionText)" }
      lines.append("    sets \(preset.joined(separator: ", "))")
    }
    if let first, first != entry, first.options == entry.options {
      return lines + ["    options as \(first.shortName)"]
    }
    return lines + options(entry.options, of: .scheduler).map { "    " + $0 }
  }

  private static func options(_ options: [PluginOption], of kind: PluginKind) -> [String] {
    guard !options.isEmpty else { return ["no options"] }
    let flag =
      switch kind {
      case .backend: "--backend_option KEY=VALUE"
      case .scheduler: "--scheduler_option KEY=VALUE"
      case .logger: "--logger_option NAME.KEY=VALUE"
      case .communicator: "nothing"
      }
    let rows = options.map { option in
      [
        option.name,
        option.kind == .choice ? option.choices.joined(separator: "|") : option.kind.rawValue,
        option.defaultValue.map { $0.isEmpty ? "\"\"" : $0 } ?? "-", option.summary,
      ]
    }
    return ["options, set with \(flag)"]
      + PluginListing.columns([["KEY", "TYPE", "DEFAULT", "MEANING"]] + rows).map { "  " + $0 }
  }
}
