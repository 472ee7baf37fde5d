import ArgumentParser
import EspalierCheckpoints
import EspalierHost

/// `espalier plugins`: what was found where, what it offers, and why a file was refused.
struct Plugins: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the plugins that were found, their devices, and why a file was refused.",
    discussion: "With a name it shows that plugin or scheduler in full, with its options.")

  @Argument(
    help: ArgumentHelp("A plugin, or a scheduler by its short or class name.", valueName: "name"))
  var name: String?

  @OptionGroup var options: PluginOptions

  @Flag(help: "Print JSON instead of a table.")
  var json = false

  func run() throws {
    let registry = try options.registry()
    defer { registry.shutdown() }
    var inventory = registry.inventory()
    if let name { inventory = try inventory.restricted(to: name) }
    if json {
      print(try PluginListing.json(inventory))
    } else if name == nil {
      print(PluginListing.table(inventory))
    } else {
      print(inventory.entries.map(PluginDetails.text).joined(separator: "\n\n"))
    }
  }
}

/// Nothing of this name was found.
struct UnknownPluginName: Error, CustomStringConvertible {
  let name: String
  let known: [String]

  var description: String {
    let near = NearestNames.meant(by: name, among: known).map { " (did you mean '\($0)'?)" } ?? ""
    return
      "there is no plugin or scheduler '\(name)'\(near); 'espalier plugins' lists what was found"
  }
}

extension PluginInventory {
  /// The plugins called `name`, or the scheduler classes.
  ///
  /// - Throws: `UnknownPluginName`.
  fileprivate func restricted(to name: String) throws(UnknownPluginName) -> PluginInventory {
    let plugins = entries.filter { $0.name == name }
    let found = plugins.isEmpty ? entries.compactMap { $0.restricted(to: name) } : plugins
    guard !found.isEmpty else {
      let schedulers = entries.flatMap(\.schedulers).flatMap { [$0.shortName, $0.className] }
      throw UnknownPluginName(name: name, known: Set(entries.map(\.name) + schedulers).sorted())
    }
    return PluginInventory(entries: found, folders: folders)
  }
}

extension PluginInventory.Entry {
  fileprivate var schedulers: [SchedulerClass] {
    if case .usable(let contents) = outcome { contents.schedulers } else { [] }
  }

  /// The plugin with the schedulers of this name alone; nil if it has none.
  fileprivate func restricted(to scheduler: String) -> Self? {
    guard case .usable(let contents) = outcome else { return nil }
    let matching = contents.schedulers.filter { $0.isCalled(scheduler) }
    guard !matching.isEmpty else { return nil }
    return Self(
      name: name, kind: kind, file: file, outcome: .usable(contents.with(schedulers: matching)))
  }
}
