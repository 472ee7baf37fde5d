import ArgumentParser
import EspalierGraph
import EspalierHost

/// How often and with what; the same for all processes of a comparison.
struct EffortOptions: ParsableArguments {
  @Option(help: "Compute with this many threads, on both sides.")
  var threads = 2

  @Option(
    help: """
      Repeat a piece of work for so many seconds in each process, but at least twice. What takes longer than that is \
      not warmed up.
      """)
  var seconds = 10.0

  @Option(help: "Repeat no piece of work more often than this in each process.")
  var repetitions = 20

  func validate() throws {
    for (name, value) in [("--threads", threads), ("--repetitions", repetitions)] where value < 1 {
      throw ValidationError("\(name) is \(value); expected at least 1")
    }
    if !(seconds > 0) { throw ValidationError("--seconds is \(seconds); expected more than 0") }
  }

  /// The options again as a command line.
  ///
  /// - Parameter most: Repetitions at most.
  func arguments(most: Int) -> [String] {
    [
      "--threads", "\(threads)", "--seconds", "\(seconds)", "--repetitions",
      "\(min(repetitions, most))",
    ]
  }
}

/// Where this program computes.
struct DeviceOptions: ParsableArguments {
  @Option(help: "The backend, as for 'espalier train'.")
  var backend = "blas"

  @Option(help: "Look for plugins in this folder first (repeatable).")
  var pluginDir: [String] = []

  @Option(
    help: ArgumentHelp(
      "Memory for copies of the UNet's weights, as --weight_cache of 'espalier train': none, auto or a number.",
      valueName: "size"))
  var weightCache = "none"

  func validate() throws { _ = try cache }

  /// What copies of the UNet's weights may take.
  var cache: WeightCache {
    get throws {
      guard let cache = WeightCache(weightCache) else {
        throw ValidationError(
          "--weight-cache is '\(weightCache)'; expected none, auto or a number of bytes, as 4GiB")
      }
      return cache
    }
  }

  /// The options again as a command line.
  var arguments: [String] {
    ["--backend", backend, "--weight-cache", weightCache]
      + pluginDir.flatMap { ["--plugin-dir", $0] }
  }
}

/// Passes that are left out.
struct PassOptions: ParsableArguments {
  @Flag(help: "Merge nothing into other operations.")
  var noFusion = false

  @Flag(help: "Give every temporary memory of its own.")
  var noPlanner = false

  /// None; for use outside a command line too.
  static var none: PassOptions {
    var options = PassOptions()
    (options.noFusion, options.noPlanner) = (false, false)
    return options
  }

  var isEmpty: Bool { !noFusion && !noPlanner }

  /// The options again as a command line.
  var arguments: [String] {
    (noFusion ? ["--no-fusion"] : []) + (noPlanner ? ["--no-planner"] : [])
  }

  func graph(for work: Work) -> GraphOptions {
    GraphOptions(
      fusion: !noFusion, recompute: work.isGradientCheckpointing, planner: !noPlanner)
  }
}
