import EspalierDatasets
import EspalierGraph
public import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors
import Foundation

extension AdapterTrainer {
  /// What the run takes: its phases, and what it writes. Loads and writes nothing.
  ///
  /// What is cached or done already is planned as if it were not.
  ///
  /// - Throws: As `run`, for what can be found without computing; it does not fail for what does not fit.
  public func plan() throws -> RunPlan { try plan(setUp()) }

  /// Flags that would make a run fit that does not; nil if none of them helps.
  public func remedy() -> String? {
    typealias Change = PlanRemedies<TrainingConfiguration>.Change
    var changes: [Change] = []
    if case .bytes = configuration.weightCache {
      changes.append(Change("--weight_cache none") { $0.weightCache = .none })
    }
    if configuration.vaeTiling != .on {
      changes.append(Change("--vae_tiling on") { $0.vaeTiling = .on })
    }
    if !configuration.gradientCheckpointing {
      changes.append(Change("--gradient_checkpointing") { $0.gradientCheckpointing = true })
    }
    if configuration.trainBatchSize > 1 {
      changes.append(Change("--train_batch_size 1") { $0.trainBatchSize = 1 })
    }
    if configuration.mixedPrecision == .no {
      changes.append(Change("--mixed_precision fp16") { $0.mixedPrecision = .fp16 })
    }
    for side in [768, 512, 256] where side < configuration.resolution {
      changes.append(Change("--resolution \(side)") { $0.resolution = side })
    }
    return PlanRemedies(configuration, changes) { [registry, device] in
      try AdapterTrainer($0, registry: registry, device: device).plan()
    }.text(on: device)
  }

  func plan(_ setup: TrainingSetup) throws -> RunPlan {
    let rows = try DataPreparation.rows(configuration, seed: configuration.seed ?? 0)
    let captions = Set(rows.flatMap(\.captions)).union([""]).count
    let storage = configuration.mixedPrecision.weightType
    let texts = try PromptEncoder(setup.folder, device: device, storage: storage)
    let images = try LatentEncoder.phase(
      setup.folder.autoencoder(), height: configuration.resolution,
      width: configuration.resolution, device: device, tiling: configuration.vaeTiling,
      runs: rows.count)
    let steps = configuration.totalSteps(sampleCount: rows.count)
    var training = try stepPhase(setup, samples: rows.count, steps: steps)
    var validation = try validationPhases(setup, beside: training, steps: steps)
    training.keepCopies(
      configuration.weightCache, on: device, beside: validation.dropFirst().map(\.memory))
    // The prompts are encoded before the training begins; the copies are there in all other phases.
    for index in validation.indices.dropFirst() {
      validation[index].memory.packedCopies += training.memory.packedCopies
    }
    return RunPlan(
      phases: [try texts.phase(textCount: captions), images, training] + validation,
      disk: disk(setup, texts: captions, embedding: texts, samples: rows.count, steps: steps))
  }

  /// Weights, trained state and the largest arenas of the programs that take turns in a step.
  private func stepPhase(_ setup: TrainingSetup, samples: Int, steps: Int) throws -> PlannedPhase {
    let weights = DeviceWeights(device, setup.unet.weights)
    let shapes = setup.adapter.shapes
    let kinds = TrainedParameters.Kind.allCases
    let bound = Set(shapes.flatMap { parameter in kinds.map { $0.name(parameter.path) } })
    func planned(_ program: GraphProgram) throws -> ProgramPlan {
      try Executable.plan(of: program, on: device, weights: weights, bound: bound)
    }
    let micro = configuration.gradientAccumulationSteps
    let step = try planned(TrainingStep.program(setup.step))
    let norm = try planned(AdamWOptimizer.normProgram(shapes))
    let update = try planned(AdamWOptimizer.updateProgram(shapes))
    var memory = step.need.sharingArenas(with: norm.need).sharingArenas(with: update.need)
    // The first micro-batch of a step and those that follow are programs of their own.
    if micro > 1 { memory.inputsAndOutputs += step.need.inputsAndOutputs }
    let parameterBytes = shapes.reduce(0) { $0 + 4 * $1.shape.count }
    memory.states = kinds.count * parameterBytes
    memory.host = hostBytes(setup, samples: samples)
    return PlannedPhase(
      configuration.gradientCheckpointing ? "training steps, recomputing" : "training steps",
      subject: TrainingStep.name, memory: memory,
      work: [(step, steps * micro), (norm, steps), (update, steps)])
  }

  /// Decoded control images, and the parameter that is copied to the host while a state is written.
  private func hostBytes(_ setup: TrainingSetup, samples: Int) -> Int {
    let channels = setup.adapter.configuration.inChannels
    let side = configuration.resolution
    let (images, overflow) = (side * side * channels).multipliedReportingOverflow(by: samples)
    return min(overflow ? .max : images, ControlImageCache.defaultByteLimit)
      + (setup.adapter.shapes.map { 4 * $0.shape.count }.max() ?? 0)
  }

  /// The phases of a validation, while the training waits with everything that it holds.
  private func validationPhases(
    _ setup: TrainingSetup, beside training: PlannedPhase, steps: Int
  ) throws -> [PlannedPhase] {
    let weights = DeviceWeights(device, setup.unet.weights)
    guard
      let run = try validation(
        setup, weights, ArenaPool(device), seed: configuration.seed ?? 0)
    else { return [] }
    let count = (steps + configuration.validationSteps - 1) / configuration.validationSteps
    return try run.plan().phases.enumerated().map { index, phase in
      var phase = phase
      // The prompts are encoded once, before the training begins.
      if index == 0 {
        return PlannedPhase(
          "validation: " + phase.title, subject: phase.subject, memory: phase.memory,
          work: phase.work)
      }
      var held = training.memory
      // The adapter is generated with from a copy.
      held.host += setup.adapter.shapes.reduce(0) { $0 + 4 * $1.shape.count }
      if phase.subject == NoisePredictor.name {
        (phase.memory.weights, phase.memory.mappedWeights) = (0, 0)
      } else {
        held.mappedWeights = 0  // the UNet's pages are released meanwhile
      }
      return PlannedPhase(
        "validation: " + phase.title, subject: phase.subject + " in a validation",
        memory: held.sharingArenas(with: phase.memory),
        work: phase.work.map { ($0.plan, $0.runs * count) })
    }
  }

  private func disk(
    _ setup: TrainingSetup, texts: Int, embedding: PromptEncoder, samples: Int, steps: Int
  ) -> [DiskNeed] {
    let side = configuration.resolution / setup.vae.configuration.downscaleFactor
    let latents = samples * side * side * 2 * setup.vae.configuration.latentChannels * 4
    let embeddings =
      texts * 4
      * (embedding.tokenCount * embedding.hiddenSize + embedding.pooledSize)
    let parameterBytes = setup.adapter.shapes.reduce(0) { $0 + 4 * $1.shape.count }
    let saves = steps / configuration.checkpointingSteps + 1
    // One more than are kept, since a state is complete before an older one goes.
    let states = configuration.checkpointsTotalLimit.map { min(saves, $0 + 1) } ?? saves
    let cache = DirectoryContents(configuration.cacheFolder).byteCount
    let old = DirectoryContents(configuration.outputDir, prefix: CheckpointFolder.prefix).byteCount
    return [
      DiskNeed(
        path: configuration.cacheFolder, what: "the cache of texts and latents",
        byteCount: max(0, latents + embeddings - cache),
        remedy: "choose another place for the cache with --cache_dir"),
      DiskNeed(
        path: configuration.outputDir, what: "the adapter and \(states) training state(s)",
        byteCount: max(0, (1 + states * 3) * parameterBytes - old),
        remedy: "keep fewer states with --checkpoints_total_limit, or choose another --output_dir"),
    ]
  }
}

/// What lies in a folder and below it.
private struct DirectoryContents {
  /// Bytes of all files.
  let byteCount: Int

  /// - Parameter prefix: Counts only what begins with this name in the folder itself.
  init(_ path: String, prefix: String = "") {
    let files = FileManager.default.enumerator(atPath: path)
    var sum = 0
    while let name = files?.nextObject() as? String {
      guard name.hasPrefix(prefix) else { continue }
      let attributes = files?.fileAttributes
      if attributes?[.type] as? FileAttributeType == .typeRegular {
        sum += (attributes?[.size] as? NSNumber)?.intValue ?? 0
      }
    }
    byteCount = sum
  }
}

extension RunPlan {
  /// Of the program that takes the most memory for temporaries.
  var largestArenas: [Int] {
    phases.dropFirst(2).flatMap(\.work).map(\.plan.arenaBytes)
      .max { $0.reduce(0, +) < $1.reduce(0, +) } ?? []
  }
}
