import EspalierHost
import EspalierPipelines
import EspalierTensors
import Foundation
import TestSupport
import Testing

extension Pipelines {
  /// What of the model's files is in memory after each phase.
  @Suite("Weights are resident only while they are needed")
  struct ResidencyTests {
    private let folder: TemporaryFolder

    /// A copy of the model, whose files nobody else maps.
    init() throws {
      folder = try temporaryFolder()
      try FileManager.default.copyItem(atPath: TestModel.path, toPath: folder.file("model"))
    }

    /// Bytes of a component's weights that are in this process's memory.
    private func resident(_ component: String) throws -> Int {
      var sum = 0
      var counts = false
      for line in try ProcessMaps.lines() {
        if line.contains(folder.path) || line.contains("-") && line.contains(" r") {
          counts =
            line.contains(folder.file("model/\(component)/")) && line.hasSuffix(".safetensors")
        } else if counts, line.hasPrefix("Rss:") {
          let words = line.split(separator: " ")
          sum += try #require(Int(words[1])) * 1024
        }
      }
      return sum
    }

    /// On the CPU, which uses weights in their files.
    @Test func `a generation leaves none of them in memory`() throws {
      guard try TestModel.device().info.deviceClass == .cpu else { return }
      let pipeline = try StableDiffusionXLAdapterPipeline(
        DiffusionFolder(path: folder.file("model")),
        scheduler: TestModel.scheduler("EulerDiscreteScheduler"), device: TestModel.device())
      var configuration = GenerationConfiguration(prompts: ["a house"])
      (configuration.height, configuration.width) = (64, 64)
      configuration.numInferenceSteps = 2
      var duringSteps: [String: Int] = [:]
      var whileDecoding: [String: Int] = [:]
      let components = ["text_encoder", "text_encoder_2", "unet", "vae"]
      func sample() throws -> [String: Int] {
        var result: [String: Int] = [:]
        for component in components { result[component] = try resident(component) }
        return result
      }
      _ = try pipeline.generate(configuration) { event in
        switch event {
        case .step: duringSteps = (try? sample()) ?? [:]
        case .decoded: whileDecoding = (try? sample()) ?? [:]
        default: break
        }
      }
      let after = try sample()
      // A read brings up to 64 KiB around it, and headers are read anew.
      let page = 1 << 17
      #expect(duringSteps["unet"] ?? 0 > 1 << 20, "\(duringSteps)")
      #expect((duringSteps["text_encoder"] ?? .max) <= page, "\(duringSteps)")
      #expect((duringSteps["text_encoder_2"] ?? .max) <= page, "\(duringSteps)")
      #expect((whileDecoding["unet"] ?? .max) <= page, "\(whileDecoding)")
      #expect(whileDecoding["vae"] ?? 0 > page, "\(whileDecoding)")
      for component in components { #expect(after[component, default: .max] <= page, "\(after)") }
      withExtendedLifetime(pipeline) {}
    }
  }
}
