public import ArgumentParser
import Espalier

extension TrainingConfiguration.MixedPrecision: ExpressibleByArgument {}
extension TrainingConfiguration.Compatibility: ExpressibleByArgument {}
extension VAETiling: ExpressibleByArgument {}

/// How long a run goes, on what, and what it leaves behind.
struct TrainRunOptions: ParsableArguments {
  @Option(help: "NAME[:DEVICE] of a backend plugin, or auto.")
  var backend = "auto"

  @OptionGroup var backendOptions: BackendOptionFlags

  @Option(name: .customLong("output_dir"), help: "Where the adapter and checkpoints go.")
  var outputDir = "t2iadapter-model"

  @Option(help: "Makes a run repeatable.")
  var seed: UInt64?

  @Option(name: .customLong("train_batch_size"), help: "Samples of a micro-batch.")
  var trainBatchSize = 4

  @Option(name: .customLong("num_train_epochs"), help: "Passes over the data.")
  var numTrainEpochs = 1

  @Option(
    name: .customLong("max_train_steps"), help: "Optimizer steps; overrides --num_train_epochs.")
  var maxTrainSteps: Int?

  @Option(
    name: .customLong("gradient_accumulation_steps"), help: "Micro-batches of an optimizer step.")
  var gradientAccumulationSteps = 1

  @Flag(
    name: .customLong("gradient_checkpointing"),
    help: "Recompute blocks in the backward pass: less memory, more time.")
  var gradientCheckpointing = false

  @Flag(
    name: .customLong("no_fusion"),
    help: "Run every operation by itself, to find faults. (This program's own.)")
  var noFusion = false

  @Flag(
    name: .customLong("no_planner"),
    help: "Give every temporary its own memory, to find faults. (This program's own.)")
  var noPlanner = false

  @Option(
    name: .customLong("mixed_precision"),
    help: "Storage of the frozen weights: no keeps the files' own.")
  var mixedPrecision = TrainingConfiguration.MixedPrecision.no

  @Option(
    name: .customLong("vae_tiling"),
    help: """
      Encode pictures in bands of rows, without seams: less memory, more time. 'auto' does so where a whole picture takes \
      more than 3 GiB or does not fit. (This program's own.)
      """)
  var vaeTiling = VAETiling.auto

  @Option(
    name: .customLong("weight_cache"),
    help: ArgumentHelp(WeightCache.help + " (This program's own.)", valueName: "size"))
  var weightCache = WeightCache.none

  @Option(
    help:
      "Follow 'reference' to train exactly as Diffusers' script does, defects included where they change results."
  )
  var compatibility = TrainingConfiguration.Compatibility.espalier

  @Option(
    name: .customLong("checkpointing_steps"), help: "Save the training state every so many steps.")
  var checkpointingSteps = 500

  @Option(
    name: .customLong("checkpoints_total_limit"), help: "Keep at most this many states.")
  var checkpointsTotalLimit = 3

  @Option(
    name: .customLong("resume_from_checkpoint"),
    help: "A checkpoint folder, its name in the output folder, or 'latest'.")
  var resumeFromCheckpoint: String?

  func apply(to configuration: inout TrainingConfiguration) {
    configuration.outputDir = outputDir
    configuration.seed = seed
    configuration.trainBatchSize = trainBatchSize
    configuration.numTrainEpochs = numTrainEpochs
    configuration.maxTrainSteps = maxTrainSteps
    configuration.gradientAccumulationSteps = gradientAccumulationSteps
    configuration.gradientCheckpointing = gradientCheckpointing
    configuration.fusesOperations = !noFusion
    configuration.sharesMemory = !noPlanner
    configuration.mixedPrecision = mixedPrecision
    configuration.vaeTiling = vaeTiling
    configuration.weightCache = weightCache
    configuration.compatibility = compatibility
    configuration.checkpointingSteps = checkpointingSteps
    configuration.checkpointsTotalLimit = checkpointsTotalLimit
    configuration.resumeFromCheckpoint = resumeFromCheckpoint
  }
}
