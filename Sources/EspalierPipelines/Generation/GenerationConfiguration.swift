public import EspalierImages
public import EspalierTensors

/// What to generate, by the names and with the defaults of Diffusers'
/// `StableDiffusionXLAdapterPipeline.__call__`.
public struct GenerationConfiguration: Sendable {
  /// At least one.
  public var prompts: [String]
  /// One for all prompts or one for each; nil is not the same as an empty text, see
  /// `DiffusionFolder.forceZerosForEmptyPrompt`.
  public var negativePrompts: [String]?
  /// Control images: one set for all prompts or one for each; with a single prompt, as many as wanted. A set
  /// holds one image for each adapter.
  public var images: [[Image]] = []
  /// Steps of the scheduler.
  public var numInferenceSteps = 50
  /// Above 1, the negative prompt counts.
  public var guidanceScale = 5.0
  /// 0 to 1; see `Guidance`.
  public var guidanceRescale = 0.0
  /// One weight for all adapters or one for each.
  public var adapterConditioningScale = [1.0]
  /// The share of the steps, from the first, that the adapters act on.
  public var adapterConditioningFactor = 1.0
  /// How many layers before the penultimate one the prompt's embeddings are taken from.
  public var clipSkip: Int?
  /// In pixels; nil takes the control image's, rounded down to what the adapter can work with.
  public var height: Int?
  /// In pixels; see `height`.
  public var width: Int?
  /// Pictures of each prompt; those of one prompt follow each other.
  public var numImagesPerPrompt = 1
  /// For PyTorch's CPU stream; all pictures of a call draw from one.
  public var seed = 0
  /// The initial noise `[N, 4, height/8, width/8]` in place of the seed's, before it is scaled.
  public var latents: HostTensor?
  /// Pictures that the UNet works on at the same time; more need more memory and change no result.
  public var maxBatchSize = 2

  public init(prompts: [String]) { self.prompts = prompts }

  /// True if the negative prompt counts.
  public var usesGuidance: Bool { guidanceScale > 1 }

  /// How many of a generation's model calls the adapters act on, from the first.
  ///
  /// The share counts in steps, so that both calls of a step are alike. Diffusers counts calls up to a number of
  /// steps, and thereby leaves the adapters out of the second half where a step has two calls.
  public func callsWithAdapter(of calls: Int) -> Int {
    let steps = Int(Double(numInferenceSteps) * adapterConditioningFactor)
    if steps >= numInferenceSteps { return calls }
    let callsPerStep = (Double(calls) / Double(numInferenceSteps)).rounded()
    return min(steps * max(Int(callsPerStep), 1), calls)
  }

  /// Checks what needs neither model nor images.
  ///
  /// - Throws: `PipelineError.setting` for the first value that is out of its range.
  public func check() throws(PipelineError) {
    try require(!prompts.isEmpty, "the number of prompts", "at least 1", "0")
    if let negativePrompts {
      try require(
        negativePrompts.count == 1 || negativePrompts.count == prompts.count,
        "the number of negative prompts",
        prompts.count == 1 ? "1" : "1, or \(prompts.count) as there are prompts",
        "\(negativePrompts.count)")
    }
    try require(
      numInferenceSteps >= 1, "--num_inference_steps", "at least 1", "\(numInferenceSteps)")
    try require(guidanceScale.isFinite, "--guidance_scale", "a finite number", "\(guidanceScale)")
    try require(
      (0...1).contains(guidanceRescale), "--guidance_rescale", "0 to 1", "\(guidanceRescale)")
    try require(
      (0...1).contains(adapterConditioningFactor), "--adapter_conditioning_factor", "0 to 1",
      "\(adapterConditioningFactor)")
    for scale in adapterConditioningScale {
      try require(scale.isFinite, "--adapter_conditioning_scale", "finite numbers", "\(scale)")
    }
    if let clipSkip { try require(clipSkip >= 0, "--clip_skip", "at least 0", "\(clipSkip)") }
    try require(
      numImagesPerPrompt >= 1, "--num_images_per_prompt", "at least 1", "\(numImagesPerPrompt)")
    try require(maxBatchSize >= 1, "the largest batch", "at least 1", "\(maxBatchSize)")
  }

  private func require(
    _ condition: Bool, _ setting: String, _ expected: String, _ found: String
  ) throws(PipelineError) {
    if !condition { throw .setting(setting, expected: expected, found: found) }
  }
}
