import ArgumentParser
import EspalierHost

/// `espalier plugins`: what was found where, what it offers, and why a file was refused.
struct Plugins: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the plugins that were found, their devices, and why a file was refused.")

  @OptionGroup var options: PluginOptions

  @Flag(help: "Print JSON instead of a table.")
  var json = false

  func run() throws {
    let registry = try options.registry()
    defer { registry.shutdown() }
    let inventory = registry.inventory()
    print(json ? try PluginListing.json(inventory) : PluginListing.table(inventory))
  }
}
