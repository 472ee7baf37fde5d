import ArgumentParser
import EspalierHost
import EspalierImages
import EspalierPipelines

/// `espalier generate`: pictures from prompts and control images.
struct Generate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Generates images with SDXL, guided by prompts and T2I-Adapters.")

  @OptionGroup(title: "Model") var model: GenerateModelOptions
  @OptionGroup(title: "Picture") var picture: GeneratePictureOptions
  @OptionGroup(title: "Output") var output: GenerateOutputOptions
  @OptionGroup(title: "Plugins") var plugins: PluginOptions

  func validate() throws {
    var settings = settings(seed: 0)
    for (name, value) in [("--height", picture.height), ("--width", picture.width)] {
      if let value, value <= 0 || value % 16 != 0 {
        throw ValidationError("\(name) is \(value); expected a positive multiple of 16")
      }
    }
    let adapters = model.adapters.count
    if adapters == 0 && !picture.images.isEmpty {
      throw ValidationError("--image is given, but no --adapter_model_name_or_path to use it")
    }
    if adapters > 0 && (picture.images.isEmpty || picture.images.count % adapters != 0) {
      throw ValidationError(
        "--image names \(picture.images.count) file(s); expected one for each of \(adapters) adapter(s), or that "
          + "many for each prompt")
    }
    settings.images = []
    do throws(PipelineError) { try settings.check() } catch { throw Self.usage(error) }
  }

  func run() throws {
    do {
      let seed = picture.seed ?? Int(UInt32.random(in: 0...(.max)))
      if picture.seed == nil { StandardError.write("seed \(seed)") }
      let registry = try plugins.registry()
      defer { registry.shutdown() }
      try GenerateRun(command: self, seed: seed, registry: registry).run()
    } catch let error as PipelineError {
      throw Self.usage(error)
    }
  }

  /// The settings without the control images.
  func settings(seed: Int) -> GenerationConfiguration {
    var result = GenerationConfiguration(prompts: picture.prompts)
    result.negativePrompts = picture.negativePrompts.isEmpty ? nil : picture.negativePrompts
    result.numInferenceSteps = picture.numInferenceSteps
    result.guidanceScale = picture.guidanceScale
    result.guidanceRescale = picture.guidanceRescale
    if !picture.adapterConditioningScale.isEmpty {
      result.adapterConditioningScale = picture.adapterConditioningScale
    }
    result.adapterConditioningFactor = picture.adapterConditioningFactor
    result.clipSkip = picture.clipSkip
    result.height = picture.height
    result.width = picture.width
    result.numImagesPerPrompt = picture.numImagesPerPrompt
    result.maxBatchSize = picture.maxBatchSize
    result.seed = seed
    return result
  }

  /// A setting out of its range is a fault of the command line.
  private static func usage(_ error: PipelineError) -> any Error {
    if case .setting = error { ValidationError("\(error)") } else { error }
  }
}
