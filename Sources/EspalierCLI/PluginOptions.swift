import ArgumentParser
import EspalierHost

/// Where plugins are looked for, and how many threads compute; shared by all commands that use them.
struct PluginOptions: ParsableArguments {
  @Option(
    name: .customLong("plugin"),
    help: ArgumentHelp(
      "Use this plugin file before all others (repeatable); it is an error if it cannot be used.",
      valueName: "file"))
  var plugins: [String] = []

  @Option(
    name: .customLong("plugin-dir"),
    help: ArgumentHelp(
      "Look for plugins in this folder first (repeatable).", valueName: "dir"))
  var pluginDirectories: [String] = []

  @Option(
    help: ArgumentHelp(
      "Compute with this many threads (default: ESPALIER_NUM_THREADS, else one for each core).",
      valueName: "count"))
  var threads: Int?

  mutating func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads is '\(threads)'; expected a whole number from 1 to 1024")
    }
  }

  /// Starts the threads and finds the plugins.
  ///
  /// - Throws: `PluginError`.
  func registry() throws -> PluginRegistry {
    try ThreadPool.start(threads: threads)
    return try PluginRegistry(
      searchPath: PluginSearchPath(pluginDirectories: pluginDirectories), files: plugins)
  }
}
