import ArgumentParser
import Espalier
import EspalierHost

/// `espalier init-model`: a model or an adapter with random weights, to measure with.
struct InitModel: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init-model",
    abstract: "Writes a model folder, or an adapter's, with random weights.",
    discussion: """
      The folder is laid out as a download from the Hub, with the preset's configurations and tokenizers. Its \
      pictures mean nothing; it is for measuring and comparing without a download. The same seed gives the same \
      bytes.
      """)

  @Option(
    help: ArgumentHelp(
      "The model: \(ModelPreset.all.map(\.name).joined(separator: " or ")).", valueName: "name"))
  var preset: String?

  @Option(
    help: ArgumentHelp(
      "In place of a model an adapter for SDXL: full_adapter_xl.", valueName: "type"))
  var adapter: String?

  @Option(help: "Of the random numbers.")
  var seed: UInt64 = 0

  @Option(help: "How the weights are stored.")
  var dtype = WeightType.f16

  @Option(help: "A part of the names of weight files, as in fp16.")
  var variant: String?

  @Option(
    name: .customLong("max_shard_size"),
    help: ArgumentHelp(
      "Weights above this size are written as several files with an index.", valueName: "size"))
  var maxShardSize = ByteSize(10_000_000_000)

  @Argument(help: ArgumentHelp("A new or empty folder.", valueName: "dir"))
  var folder: String

  func validate() throws {
    guard (preset == nil) != (adapter == nil) else {
      throw ValidationError("expected either --preset or --adapter")
    }
    if let preset, ModelPreset.named(preset) == nil {
      let known = ModelPreset.all.map(\.name).joined(separator: ", ")
      throw ValidationError("--preset is \(preset); expected one of \(known)")
    }
    if let adapter, adapter != T2IAdapterConfiguration.sdxl.adapterType.rawValue {
      throw ValidationError("--adapter is \(adapter); expected full_adapter_xl")
    }
    if let variant, variant.isEmpty || variant.contains("/") || variant.contains(".") {
      throw ValidationError("--variant is '\(variant)'; expected a word, such as fp16")
    }
  }

  func run() throws {
    try ThreadPool.start()
    let model =
      try preset.flatMap(ModelPreset.named).map { try RandomModel($0) } ?? RandomModel(.sdxl)
    StopSignal.install()
    do {
      try model.write(
        to: folder,
        RandomModel.Options(
          seed: seed, dtype: dtype.dtype, variant: variant, maxShardSize: maxShardSize.bytes),
        report: { StandardError.write("\($0): \(ByteCount($1))") },
        isCancelled: { StopSignal.count > 0 })
    } catch PipelineError.cancelled {
      StandardError.write("stopped; nothing was written")
      throw ExitCode(StopSignal.exitCode)
    }
    print(folder)
  }
}
