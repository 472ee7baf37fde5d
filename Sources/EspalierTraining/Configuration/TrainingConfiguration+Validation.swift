import EspalierTensors
import Foundation

extension TrainingConfiguration {
  /// Sides of images must be a multiple of this: the adapter unshuffles 16×16 pixels.
  public static let resolutionMultiple = 16

  /// Optimizer steps that a run can have.
  static let stepRange = 0...1 << 31

  /// Checks what can be checked without opening a file.
  ///
  /// - Throws: `TrainingError.invalidSetting`, naming the flag.
  public func validate() throws(TrainingError) {
    try require(
      !pretrainedModelNameOrPath.isEmpty, "--pretrained_model_name_or_path", "missing", "a folder")
    try require(!trainDataDir.isEmpty, "--train_data_dir", "missing", "a folder with images")
    try require(
      (1...16384).contains(resolution) && resolution % Self.resolutionMultiple == 0, "--resolution",
      "\(resolution)",
      "a multiple of \(Self.resolutionMultiple), the adapter's downscale factor")
    // The upper bounds keep the products of these numbers in 64 bits.
    try positive(trainBatchSize, "--train_batch_size", atMost: 4096)
    try positive(numTrainEpochs, "--num_train_epochs", atMost: 1 << 20)
    try positive(gradientAccumulationSteps, "--gradient_accumulation_steps", atMost: 1 << 16)
    try positive(checkpointingSteps, "--checkpointing_steps")
    try positive(validationSteps, "--validation_steps")
    try positive(numValidationImages, "--num_validation_images", atMost: 4096)
    try positive(lrNumCycles, "--lr_num_cycles")
    if let maxTrainSteps {
      try positive(maxTrainSteps, "--max_train_steps", atMost: Self.stepRange.upperBound)
    }
    if let maxTrainSamples { try positive(maxTrainSamples, "--max_train_samples") }
    if let checkpointsTotalLimit {
      try positive(checkpointsTotalLimit, "--checkpoints_total_limit")
    }
    try require(
      Self.stepRange.contains(lrWarmupSteps), "--lr_warmup_steps", "\(lrWarmupSteps)",
      "0 to \(Self.stepRange.upperBound)")
    try require(
      cropsCoordsTopLeftH >= 0 && cropsCoordsTopLeftW >= 0, "--crops_coords_top_left_h/_w",
      "\(cropsCoordsTopLeftH), \(cropsCoordsTopLeftW)", "0 or more")
    try validateNumbers()
    try validateValidation()
    _ = try LearningRateSchedule(
      kind: lrScheduler, baseRate: effectiveLearningRate, warmupSteps: 0, totalSteps: 1)
  }

  private func validateNumbers() throws(TrainingError) {
    try require(
      (0...1).contains(proportionEmptyPrompts), "--proportion_empty_prompts",
      "\(proportionEmptyPrompts)", "a value from 0 to 1")
    try require(
      learningRate.isFinite && learningRate > 0, "--learning_rate", "\(learningRate)",
      "a positive number")
    try require(
      maxGradNorm.isFinite && maxGradNorm > 0, "--max_grad_norm", "\(maxGradNorm)",
      "a positive number")
    try require((0..<1).contains(adam.beta1), "--adam_beta1", "\(adam.beta1)", "a value in [0, 1)")
    try require((0..<1).contains(adam.beta2), "--adam_beta2", "\(adam.beta2)", "a value in [0, 1)")
    try require(
      adam.epsilon.isFinite && adam.epsilon > 0, "--adam_epsilon", "\(adam.epsilon)",
      "a positive number")
    try require(
      adam.weightDecay.isFinite && adam.weightDecay >= 0, "--adam_weight_decay",
      "\(adam.weightDecay)", "0 or more")
    try require(lrPower.isFinite && lrPower > 0, "--lr_power", "\(lrPower)", "a positive number")
    try require(
      adapterInChannels == 1 || adapterInChannels == 3, "--adapter_in_channels",
      "\(adapterInChannels)", "1 or 3")
  }

  private func validateValidation() throws(TrainingError) {
    let (prompts, images) = (validationPrompts.count, validationImages.count)
    try require(
      (prompts == 0) == (images == 0), "--validation_prompt and --validation_image",
      "\(prompts) and \(images)", "both or neither")
    try require(
      prompts == images || prompts == 1 || images == 1,
      "--validation_prompt and --validation_image",
      "\(prompts) and \(images)", "as many of one as of the other, or one of either")
  }

  private func positive(
    _ value: Int, _ flag: String, atMost limit: Int = .max
  ) throws(TrainingError) {
    try require(
      (1...limit).contains(value), flag, "\(value)",
      value > 0 ? "at most \(limit)" : "1 or more")
  }

  private func require(
    _ condition: Bool, _ flag: String, _ found: String, _ expected: String
  ) throws(TrainingError) {
    if !condition { throw .invalidSetting(flag: flag, found: found, expected: expected) }
  }

  /// The rate after `--scale_lr`.
  public var effectiveLearningRate: Double {
    scaleLR ? learningRate * Double(gradientAccumulationSteps * trainBatchSize) : learningRate
  }

  /// Optimizer steps of the run over this many samples.
  public func totalSteps(sampleCount: Int) -> Int {
    if let maxTrainSteps { return maxTrainSteps }
    let batches = (sampleCount + trainBatchSize - 1) / trainBatchSize
    let updates = (batches + gradientAccumulationSteps - 1) / gradientAccumulationSteps
    return numTrainEpochs * max(updates, 1)
  }
}
