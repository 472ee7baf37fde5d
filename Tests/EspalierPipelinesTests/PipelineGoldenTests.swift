import EspalierCheckpoints
import EspalierHost
import EspalierImages
import EspalierPipelines
import EspalierTensors
import TestSupport
import Testing

/// One generation of `pipeline.json`, all settings from there.
struct PipelineCase: CustomTestStringConvertible, Sendable {
  let name: String
  let json: JSONValue

  var testDescription: String { name }

  static let all: [PipelineCase] = {
    let cases = (try? Fixtures.json("pipeline.json"))?["cases"]?.array ?? []
    return cases.compactMap { json in
      json["name"]?.string.map { PipelineCase(name: $0, json: json) }
    }
  }()

  /// Several adapters have a list of weights.
  var isMultiAdapter: Bool { json["adapter_conditioning_scale"]?.array != nil }

  func configuration() throws -> GenerationConfiguration {
    let prompts = json["prompt"]?.strings ?? json["prompt"]?.string.map { [$0] }
    var result = GenerationConfiguration(prompts: try #require(prompts))
    result.images = try images()
    result.seed = try #require(json["seed"]?.int)
    result.numInferenceSteps = try #require(json["num_inference_steps"]?.int)
    result.guidanceScale = try #require(json["guidance_scale"]?.double)
    result.guidanceRescale = json["guidance_rescale"]?.double ?? 0
    result.negativePrompts = json["negative_prompt"]?.string.map { [$0] }
    if let scale = json["adapter_conditioning_scale"] {
      result.adapterConditioningScale = try #require(scale.doubles ?? scale.double.map { [$0] })
    }
    result.adapterConditioningFactor = json["adapter_conditioning_factor"]?.double ?? 1
    result.clipSkip = json["clip_skip"]?.int
    result.height = json["height"]?.int
    result.width = json["width"]?.int
    result.numImagesPerPrompt = json["num_images_per_prompt"]?.int ?? 1
    return result
  }

  /// As the file's note says.
  private func images() throws -> [[Image]] {
    let condition = try TestModel.image("condition.png")
    switch name {
    case "batch2": return [[condition], [condition]]
    case "nonsquare": return [[try TestModel.image("wide.png")]]
    default:
      return isMultiAdapter ? [[condition, try TestModel.image("square.png")]] : [[condition]]
    }
  }
}

extension Pipelines {
  /// Goldens: `make_fixtures.py`, complete runs of Diffusers on a CPU.
  @Suite("Pipeline goldens", .onEveryBackend) struct PipelineGoldenTests {
    @Test func `the fixtures have cases`() {
      #expect(PipelineCase.all.count >= 10)
    }

    @Test(arguments: PipelineCase.all)
    func `latents and pictures are those of Diffusers`(golden: PipelineCase) throws {
      let pipeline: StableDiffusionXLAdapterPipeline
      let scheduler = try #require(golden.json["scheduler"]?.string)
      do {
        pipeline = try TestModel.pipeline(
          adapters: golden.isMultiAdapter ? ["adapter_xl", "adapter_xl_second"] : ["adapter_xl"],
          scheduler: scheduler, schedulerConfiguration: golden.json["scheduler_config"])
      } catch PluginError.unknown(.scheduler, _, _, _) {
        print("skipped \(golden.name): no plugin offers \(scheduler)")
        try Test.cancel("no plugin offers \(scheduler)")
      }
      let result = try pipeline.generate(golden.configuration())
      let tensors = try Fixtures.tensors("pipeline/\(golden.name).safetensors")
      expectClose(result.latents, try tensors.tensor("latents"), relativeL2: 1e-3, "latents")
      let pictures = try tensors.tensor("image")
      #expect(result.images.count == pictures.shape[0])
      let expected = pictures.floats().map { ($0 * 255).rounded(.toNearestOrEven) }
      expectClose(
        result.images.flatMap { $0.bytes.map { Float($0) } }, expected, absolute: 2, "pictures")
      let png = try Image(contentsOf: Fixtures.path("pipeline/\(golden.name).png"))
      expectClose(
        result.images[0].bytes.map { Float($0) }, png.bytes.map { Float($0) }, absolute: 2, "PNG")
    }
  }
}
