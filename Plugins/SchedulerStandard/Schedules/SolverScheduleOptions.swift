import EspalierPluginKit

/// The keys of a solver's schedule, and in what the classes differ.
struct SolverScheduleOptions: Sendable {
  let noise: NoiseScheduleOptions
  /// Nil: always linspace.
  let spacing: TimestepSpacingOptions?
  let sigmas: SigmaSpacingOptions
  /// Nil: always the lowest noise.
  let finalSigma: PluginOption<FinalSigma>?
  let lambdaMinClipped: PluginOption<Double?>?
  /// Whether with a spacing of noise levels the lowest noise is that of the last step, which then stays.
  let repeatsLastSigma: Bool
  /// Whether timesteps of Karras' spacing are cut instead of rounded with the cosine schedule of β.
  let truncatesCosineTimesteps: Bool

  init(
    rescales: Bool = false, hasSpacing: Bool = true, hasLu: Bool = false,
    hasFinalSigma: Bool = true, clipsLambda: Bool = false, repeatsLastSigma: Bool = false,
    truncatesCosineTimesteps: Bool = false
  ) {
    noise = NoiseScheduleOptions(rescales: rescales)
    spacing = hasSpacing ? TimestepSpacingOptions(default: .linspace) : nil
    sigmas = SigmaSpacingOptions(lu: hasLu)
    finalSigma = hasFinalSigma ? FinalSigma.option : nil
    lambdaMinClipped =
      clipsLambda
      ? .number(
        "lambda_min_clipped", where: { $0 < .infinity }, "a number, or -Infinity",
        "Leaves out the training timesteps with a lower log signal-to-noise ratio") : nil
    self.repeatsLastSigma = repeatsLastSigma
    self.truncatesCosineTimesteps = truncatesCosineTimesteps
  }

  var all: [any DescribedOption] {
    var all = noise.all + [PredictionType.option] + (spacing?.all ?? []) + sigmas.all
    if let finalSigma { all.append(finalSigma) }
    if let lambdaMinClipped { all.append(lambdaMinClipped) }
    return all
  }
}
