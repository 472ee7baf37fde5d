import ArgumentParser
import EspalierHost
import Foundation

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

  /// Where plugins keep what they can make again, by the XDG convention.
  static var cacheDirectory: String {
    let environment = ProcessInfo.processInfo.environment
    let base = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    return (base ?? NSHomeDirectory() + "/.cache") + "/espalier"
  }

  /// Starts the threads and finds the plugins.
  ///
  /// - Throws: `PluginError`.
  func registry() throws -> PluginRegistry {
    try ThreadPool.start(threads: threads)
    HostServices.setSetting("cache_directory", to: Self.cacheDirectory)
    return try PluginRegistry(
      searchPath: PluginSearchPath(pluginDirectories: pluginDirectories), files: plugins)
  }
}
