import EspalierCheckpoints

extension TrainingConfiguration {
  /// The settings that metric loggers record, by the names of their flags.
  ///
  /// Paths are left out but for the models' names: what a run is called by, not where it lies.
  var logged: [String: JSONValue] {
    [
      "pretrained_model_name_or_path": .string(pretrainedModelNameOrPath),
      "pretrained_vae_model_name_or_path": pretrainedVAEModelNameOrPath.map { .string($0) }
        ?? .null,
      "adapter_model_name_or_path": adapterModelNameOrPath.map { .string($0) } ?? .null,
      "variant": variant.map { .string($0) } ?? .null,
      "resolution": .number(resolution),
      "proportion_empty_prompts": .number(proportionEmptyPrompts),
      "max_train_samples": maxTrainSamples.map { .number($0) } ?? .null,
      "seed": seed.map { .string(String($0)) } ?? .null,
      "train_batch_size": .number(trainBatchSize),
      "num_train_epochs": .number(numTrainEpochs),
      "max_train_steps": maxTrainSteps.map { .number($0) } ?? .null,
      "gradient_accumulation_steps": .number(gradientAccumulationSteps),
      "gradient_checkpointing": .bool(gradientCheckpointing),
      "mixed_precision": .string(mixedPrecision.rawValue),
      "compatibility": .string(compatibility.rawValue),
      "checkpointing_steps": .number(checkpointingSteps),
      "learning_rate": .number(effectiveLearningRate),
      "lr_scheduler": .string(lrScheduler.rawValue),
      "lr_warmup_steps": .number(lrWarmupSteps),
      "lr_num_cycles": .number(lrNumCycles),
      "lr_power": .number(lrPower),
      "adam_beta1": .number(adam.beta1),
      "adam_beta2": .number(adam.beta2),
      "adam_weight_decay": .number(adam.weightDecay),
      "adam_epsilon": .number(adam.epsilon),
      "max_grad_norm": .number(maxGradNorm),
      "validation_prompt": .array(validationPrompts.map { .string($0) }),
      "validation_steps": .number(validationSteps),
    ]
  }
}
