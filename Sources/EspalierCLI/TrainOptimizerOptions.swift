public import ArgumentParser
import Espalier

extension LearningRateSchedule.Kind: ExpressibleByArgument {}

/// How the weights are updated.
struct TrainOptimizerOptions: ParsableArguments {
  @Option(name: .customLong("learning_rate"), help: "After the warmup.")
  var learningRate = 5e-6

  @Flag(
    name: .customLong("scale_lr"),
    help: "Multiply the rate by batch size and accumulation steps.")
  var scaleLR = false

  @Option(name: .customLong("lr_scheduler"), help: "How the rate changes over the run.")
  var lrScheduler = LearningRateSchedule.Kind.constant

  @Option(name: .customLong("lr_warmup_steps"), help: "Steps of rising rate; 'constant' has none.")
  var lrWarmupSteps = 500

  @Option(name: .customLong("lr_num_cycles"), help: "Restarts of cosine_with_restarts.")
  var lrNumCycles = 1

  @Option(name: .customLong("lr_power"), help: "Power of polynomial.")
  var lrPower = 1.0

  @Option(name: .customLong("adam_beta1"), help: "Decay of the first moment.")
  var adamBeta1 = 0.9

  @Option(name: .customLong("adam_beta2"), help: "Decay of the second moment.")
  var adamBeta2 = 0.999

  @Option(name: .customLong("adam_weight_decay"), help: "Of all parameters, biases included.")
  var adamWeightDecay = 1e-2

  @Option(name: .customLong("adam_epsilon"), help: "Keeps the division finite.")
  var adamEpsilon = 1e-8

  @Option(name: .customLong("max_grad_norm"), help: "Gradients are clipped to this norm.")
  var maxGradNorm = 1.0

  func apply(to configuration: inout TrainingConfiguration) {
    configuration.learningRate = learningRate
    configuration.scaleLR = scaleLR
    configuration.lrScheduler = lrScheduler
    configuration.lrWarmupSteps = lrWarmupSteps
    configuration.lrNumCycles = lrNumCycles
    configuration.lrPower = lrPower
    configuration.adam.beta1 = adamBeta1
    configuration.adam.beta2 = adamBeta2
    configuration.adam.weightDecay = adamWeightDecay
    configuration.adam.epsilon = adamEpsilon
    configuration.maxGradNorm = maxGradNorm
  }
}
