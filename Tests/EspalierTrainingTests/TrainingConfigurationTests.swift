import EspalierTraining
import Testing

@Suite("TrainingConfiguration") struct TrainingConfigurationTests {
  private func configuration() -> TrainingConfiguration {
    var result = TrainingConfiguration()
    result.pretrainedModelNameOrPath = "model"
    result.trainDataDir = "data"
    return result
  }

  @Test func `the reference's defaults are valid`() throws {
    try configuration().validate()
  }

  private typealias Change = @Sendable (inout TrainingConfiguration) -> Void
  private static let wrong: [(flag: String, change: Change)] = [
    ("--resolution", { $0.resolution = 1000 }),
    ("--resolution", { $0.resolution = .max }),
    ("--train_batch_size", { $0.trainBatchSize = 0 }),
    ("--train_batch_size", { $0.trainBatchSize = .max }),
    ("--gradient_accumulation_steps", { $0.gradientAccumulationSteps = .max }),
    ("--num_train_epochs", { $0.numTrainEpochs = .max }),
    ("--max_train_steps", { $0.maxTrainSteps = .max }),
    ("--max_train_samples", { $0.maxTrainSamples = 0 }),
    ("--lr_warmup_steps", { $0.lrWarmupSteps = -1 }),
    ("--learning_rate", { $0.learningRate = .nan }),
    ("--adam_beta2", { $0.adam.beta2 = 1 }),
    ("--max_grad_norm", { $0.maxGradNorm = 0 }),
    ("--checkpoints_total_limit", { $0.checkpointsTotalLimit = 0 }),
    ("--proportion_empty_prompts", { $0.proportionEmptyPrompts = 1.5 }),
    ("--validation_prompt", { $0.validationPrompts = ["a"] }),
    ("--adapter_in_channels", { $0.adapterInChannels = 4 }),
  ]

  @Test(arguments: wrong.indices)
  func `a setting that cannot be is refused by its flag`(index: Int) throws {
    let (flag, change) = Self.wrong[index]
    var changed = configuration()
    change(&changed)
    let error = #expect(throws: TrainingError.self) { try changed.validate() }
    #expect(try #require(error).description.hasPrefix(flag))
  }

  @Test func `steps are counted as the reference counts them`() {
    var settings = configuration()
    (settings.trainBatchSize, settings.gradientAccumulationSteps) = (4, 3)
    settings.numTrainEpochs = 2
    #expect(settings.totalSteps(sampleCount: 25) == 2 * 3)  // 7 batches, 3 updates
    #expect(settings.totalSteps(sampleCount: 1) == 2)
    settings.maxTrainSteps = 5
    #expect(settings.totalSteps(sampleCount: 25) == 5)
    settings.scaleLR = true
    #expect(settings.effectiveLearningRate == settings.learningRate * 12)
  }
}
