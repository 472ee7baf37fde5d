import ArgumentParser
import EspalierHost
import EspalierPipelines
import EspalierTensors

/// How weights and images are stored while computing; sums are always made in float32.
enum MixedPrecision: String, ExpressibleByArgument, CaseIterable {
  case no
  case fp16
  case bf16

  /// The type that weights are converted to; nil keeps the file's.
  var storage: DType? {
    switch self {
    case .no: nil
    case .fp16: .float16
    case .bf16: .bfloat16
    }
  }
}

/// Which model, adapters and scheduler `espalier generate` uses, and on which device.
struct GenerateModelOptions: ParsableArguments {
  @Option(
    name: .customLong("pretrained_model_name_or_path"),
    help: ArgumentHelp(
      "SDXL model: a folder in Diffusers' layout, or a .safetensors file.", valueName: "path"))
  var model: String

  @Option(
    name: .customLong("pretrained_vae_model_name_or_path"),
    help: ArgumentHelp("Take the VAE from here instead.", valueName: "path"))
  var vae: String?

  @Option(
    name: .customLong("variant"),
    help: ArgumentHelp("Variant of the weight files, as in fp16.", valueName: "name"))
  var variant: String?

  @Option(
    name: [.customLong("adapter_model_name_or_path"), .customLong("adapter")],
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "One or more T2I-Adapters; their features are added up.", valueName: "path"))
  var adapters: [String] = []

  @Option(
    name: .customLong("scheduler"),
    help: ArgumentHelp(
      "Noise scheduler, as in euler or EulerDiscreteScheduler (default: the model's).",
      valueName: "name"))
  var scheduler: String?

  @Option(
    name: .customLong("scheduler_config"),
    help: ArgumentHelp(
      "The scheduler's settings (default: scheduler/scheduler_config.json of the model).",
      valueName: "file"))
  var schedulerConfiguration: String?

  @Option(
    name: .customLong("scheduler_option"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp(
      "Set a key of the scheduler's configuration (repeatable); 'espalier plugins NAME' lists them.",
      valueName: "key=value"))
  var schedulerOptions: [String] = []

  @Option(
    name: .customLong("backend"),
    help: ArgumentHelp(
      "auto, NAME or NAME:DEVICE, as 'espalier plugins' lists them.", valueName: "name"))
  var backend = "auto"

  @Option(
    name: .customLong("mixed_precision"),
    help: ArgumentHelp("Type of the weights: no keeps the files'. The VAE's are never converted."))
  var mixedPrecision = MixedPrecision.no

  @Option(
    name: .customLong("vae_tiling"),
    help: ArgumentHelp(
      """
      Decode pictures in bands of rows, without seams: less memory, more time. 'auto' does so where a whole picture takes \
      more than 3 GiB or does not fit.
      """))
  var vaeTiling = VAETiling.auto

  @Option(
    name: .customLong("weight_cache"),
    help: ArgumentHelp(WeightCache.help, valueName: "size"))
  var weightCache = WeightCache.none

  @OptionGroup var backendOptions: BackendOptionFlags

  func validate() throws { _ = try schedulerAssignments }

  var schedulerAssignments: [OptionAssignment] {
    get throws { try OptionAssignment.all(schedulerOptions, flag: "--scheduler_option") }
  }
}

/// What `espalier generate` generates.
struct GeneratePictureOptions: ParsableArguments {
  @Option(
    name: .customLong("prompt"), parsing: .upToNextOption,
    help: ArgumentHelp("One or more prompts.", valueName: "text"))
  var prompts: [String]

  @Option(
    name: .customLong("negative_prompt"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "What to stay away from: one text for all prompts or one for each. Absent is not the same as empty.",
      valueName: "text"))
  var negativePrompts: [String] = []

  @Option(
    name: .customLong("image"), parsing: .upToNextOption,
    help: ArgumentHelp(
      """
      Control images: one for all prompts or one for each; with several adapters one for each adapter, prompt after \
      prompt.
      """, valueName: "file"))
  var images: [String] = []

  @Option(
    name: .customLong("num_inference_steps"),
    help: ArgumentHelp("Steps of the scheduler.", valueName: "count"))
  var numInferenceSteps = 50

  @Option(
    name: .customLong("guidance_scale"),
    help: ArgumentHelp("Above 1, the negative prompt counts.", valueName: "number"))
  var guidanceScale = 5.0

  @Option(
    name: .customLong("guidance_rescale"),
    help: ArgumentHelp("Against overexposure, 0 to 1.", valueName: "number"))
  var guidanceRescale = 0.0

  @Option(
    name: .customLong("adapter_conditioning_scale"), parsing: .upToNextOption,
    help: ArgumentHelp(
      "Weight of the adapters: one number or one for each (default: 1).", valueName: "number"))
  var adapterConditioningScale: [Double] = []

  @Option(
    name: .customLong("adapter_conditioning_factor"),
    help: ArgumentHelp(
      "Share of the steps that the adapters act on, from the first.", valueName: "number"))
  var adapterConditioningFactor = 1.0

  @Option(
    name: .customLong("clip_skip"),
    help: ArgumentHelp("Layers of the text encoders to leave out.", valueName: "count"))
  var clipSkip: Int?

  @Option(
    name: .customLong("height"),
    help: ArgumentHelp(
      "In pixels, a multiple of 16 (default: the control image's, rounded down).",
      valueName: "pixels"))
  var height: Int?

  @Option(
    name: .customLong("width"), help: ArgumentHelp("See --height.", valueName: "pixels"))
  var width: Int?

  @Option(
    name: .customLong("num_images_per_prompt"),
    help: ArgumentHelp("Pictures of each prompt.", valueName: "count"))
  var numImagesPerPrompt = 1

  @Option(
    name: .customLong("max_batch_size"),
    help: ArgumentHelp(
      "Pictures computed at the same time; more need more memory.", valueName: "count"))
  var maxBatchSize = 2

  @Option(
    name: .customLong("seed"),
    help: ArgumentHelp(
      "Of the noise, as torch.manual_seed on a CPU (default: drawn and printed).",
      valueName: "number"))
  var seed: Int?
}

/// Where `espalier generate` writes.
struct GenerateOutputOptions: ParsableArguments {
  @Option(
    name: .customLong("output"),
    help: ArgumentHelp(
      """
      A .png file, or a folder that gets SEED-0.png, SEED-1.png, …; several pictures into a file NAME.png become \
      NAME-0.png, NAME-1.png, ….
      """, valueName: "path"))
  var output: String

  @Option(
    name: .customLong("save_latents"),
    help: ArgumentHelp(
      "Write the final latents, NCHW, as 'latents' to this safetensors file.", valueName: "file"))
  var latents: String?

  @Option(
    name: .customLong("profile"),
    help: ArgumentHelp(
      "Write the time of every operation to this file, for chrome://tracing or Perfetto.",
      valueName: "file"))
  var profile: String?
}
