public import EspalierCheckpoints
public import EspalierHost
public import EspalierPipelines
public import EspalierTensors

/// Everything that a training run is told; names, types and defaults of the reference script's flags.
///
/// Source: Diffusers `examples/t2i_adapter/train_t2i_adapter_sdxl.py`, `parse_args`.
public struct TrainingConfiguration: Sendable {
  /// Storage of the frozen weights (`--mixed_precision`).
  public enum MixedPrecision: String, Sendable, CaseIterable, Codable {
    case no, fp16, bf16

    /// The storage type, `nil` to keep the files' own.
    public var weightType: DType? {
      switch self {
      case .no: nil
      case .fp16: .float16
      case .bf16: .bfloat16
      }
    }
  }

  /// Whose semantics a run follows (`--compatibility`).
  public enum Compatibility: String, Sendable, CaseIterable, Codable {
    /// The reference script's defects mended.
    case espalier
    /// Constant micro-conditioning, captions dropped once for the whole run and replaced by the encoding of
    /// an empty text.
    case reference
  }

  // Models
  public var pretrainedModelNameOrPath = ""
  public var pretrainedVAEModelNameOrPath: String?
  public var adapterModelNameOrPath: String?
  public var variant: String?
  /// Input channels of a fresh adapter, 1 or 3.
  public var adapterInChannels = 3

  // Data
  public var trainDataDir = ""
  public var imageColumn = "image"
  public var conditioningImageColumn = "conditioning_image"
  public var captionColumn = "text"
  public var maxTrainSamples: Int?
  public var proportionEmptyPrompts = 0.0
  public var resolution = 1024
  public var cropsCoordsTopLeftH = 0
  public var cropsCoordsTopLeftW = 0
  public var dataloaderNumWorkers = 1
  public var cacheDir: String?
  /// Where encoded images and captions are kept.
  var cacheFolder: String { cacheDir ?? outputDir + "/cache" }

  // Run
  public var outputDir = "t2iadapter-model"
  public var seed: UInt64?
  public var trainBatchSize = 4
  public var numTrainEpochs = 1
  public var maxTrainSteps: Int?
  public var gradientAccumulationSteps = 1
  public var gradientCheckpointing = false
  /// Merge operations where that saves time and memory; off to find faults.
  public var fusesOperations = true
  /// Share memory between temporaries; off to find faults.
  public var sharesMemory = true
  public var mixedPrecision = MixedPrecision.no
  /// Whether the VAE works on bands of rows.
  public var vaeTiling = VAETiling.auto
  /// What copies of the frozen UNet's weights may take.
  public var weightCache = WeightCache.none
  public var compatibility = Compatibility.espalier
  public var checkpointingSteps = 500
  public var checkpointsTotalLimit: Int? = 3
  public var resumeFromCheckpoint: String?

  /// Optimizer steps whose operations are timed for `TrainingObserver.profiled`; 0 for none.
  public var profileSteps = 0

  // Optimizer
  public var learningRate = 5e-6
  public var scaleLR = false
  public var lrScheduler = LearningRateSchedule.Kind.constant
  public var lrWarmupSteps = 500
  public var lrNumCycles = 1
  public var lrPower = 1.0
  public var adam = AdamWOptimizer.Settings()
  public var maxGradNorm = 1.0

  // Logging and validation
  public var loggingDir = "logs"
  public var reportTo: [String] = []
  public var trackerProjectName = "sd_xl_train_t2iadapter"
  /// By logger, an object of its options as `PluginRegistry.loggerOptions` makes it. Never a secret.
  public var loggerOptions: [String: JSONValue] = [:]
  public var validationPrompts: [String] = []
  public var validationImages: [String] = []
  public var numValidationImages = 4
  public var validationSteps = 100

  public init() {}
}
