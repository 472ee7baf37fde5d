import ArgumentParser
import EspalierGraph

/// What is measured and how often; the same for all processes of a comparison.
struct MeasurementOptions: ParsableArguments {
  @Option(help: "The base model's folder.")
  var model = "Sources/EspalierDemo/BaseModel"

  @Option(help: "Samples of a training step.")
  var batchSize = 8

  @Option(help: "The side of the pictures in pixels.")
  var resolution = 128

  @Option(help: "Timed repetitions in each process.")
  var repetitions = 20

  @Option(help: "Repetitions before those.")
  var warmup = 5

  @Option(help: "Compute with this many threads, on both sides.")
  var threads = 2

  mutating func validate() throws {
    for (name, value) in [
      ("--batch-size", batchSize), ("--repetitions", repetitions), ("--warmup", warmup),
      ("--threads", threads),
    ] where value < 1 {
      throw ValidationError("\(name) is \(value); expected at least 1")
    }
    if resolution < 32 || resolution % 32 != 0 {
      throw ValidationError("--resolution is \(resolution); expected a multiple of 32")
    }
  }

  /// The options again as a command line.
  var arguments: [String] {
    [
      "--model", model, "--batch-size", "\(batchSize)", "--resolution", "\(resolution)",
      "--repetitions", "\(repetitions)", "--warmup", "\(warmup)", "--threads", "\(threads)",
    ]
  }
}

/// Where this program computes.
struct DeviceOptions: ParsableArguments {
  @Option(help: "The backend, as for 'espalier train'.")
  var backend = "blas"

  @Option(help: "Look for plugins in this folder first (repeatable).")
  var pluginDir: [String] = []

  /// The options again as a command line.
  var arguments: [String] {
    ["--backend", backend] + pluginDir.flatMap { ["--plugin-dir", $0] }
  }
}

/// Which passes run over the graphs, as flags.
struct PassOptions: ParsableArguments {
  @Flag(help: "Recompute blocks in the backward pass.")
  var gradientCheckpointing = false

  @Flag(help: "Merge nothing into other operations.")
  var noFusion = false

  @Flag(help: "Give every temporary memory of its own.")
  var noPlanner = false

  var graph: GraphOptions {
    GraphOptions(fusion: !noFusion, recompute: gradientCheckpointing, planner: !noPlanner)
  }
}

extension GraphOptions {
  /// The flags of `PassOptions` that ask for these passes.
  var arguments: [String] {
    (recompute ? ["--gradient-checkpointing"] : []) + (fusion ? [] : ["--no-fusion"])
      + (planner ? [] : ["--no-planner"])
  }
}
