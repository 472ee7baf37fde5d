import EspalierCheckpoints
import EspalierGraph
import EspalierHost
import EspalierModels
import EspalierPipelines

/// The opened model and device of one measurement.
struct Workplace {
  let options: MeasurementOptions
  let passes: GraphOptions
  let folder: DiffusionFolder
  let device: ComputeDevice

  /// The sides of the latents.
  func latentSide(_ vae: AutoencoderKLConfiguration) -> Int {
    options.resolution / vae.downscaleFactor
  }

  var tokenCount: Int { 77 }

  /// Makes the job of a piece of work.
  func job(_ work: Work) throws -> any Job {
    if let batch = work.unetBatchSize { return try UNetJob(self, batch: batch) }
    return work == .trainingStep ? try TrainingJob(self) : try DecodingJob(self)
  }
}

/// A piece of work that is ready to be repeated.
protocol Job {
  /// Does it once more.
  mutating func run(profile: ExecutionProfile?) throws
  /// See `Measurement.results`.
  var results: [Double] { get }
  /// Bytes of temporaries on the device; nil if unknown.
  var arenaByteCount: Int? { get }
}
