import Foundation
import TestSupport
import Testing

/// The same run on both own backends; `vulkan` takes a software driver where there is no GPU.
@Suite("Training on two backends", .serialized) struct BackendAgreementTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try temporaryFolder()
    let demo = (Program.path as NSString).deletingLastPathComponent + "/espalier-demo"
    let result = try RunningProgram(
      demo,
      [
        "make-data", "--output", folder.file("data"), "--count", "8", "--resolution", "128",
        "--seed", "1",
      ]
    ).result()
    #expect(result.status == 0, Comment(rawValue: result.error))
  }

  /// The columns of `metrics.csv` after a run on the demo's model.
  private func train(
    _ backend: String, _ output: String, steps: Int, _ more: [String] = []
  ) throws -> [String: [Double]] {
    let result = try Program.run(
      [
        "train", "--backend", backend, "--pretrained_model_name_or_path",
        Fixtures.project + "/Sources/EspalierDemo/BaseModel", "--train_data_dir",
        folder.file("data"), "--output_dir", folder.file(output), "--resolution", "128",
        "--train_batch_size", "2", "--max_train_steps", "\(steps)", "--learning_rate", "1e-3",
        "--lr_warmup_steps", "5", "--lr_scheduler", "constant_with_warmup", "--seed", "1",
        "--report_to", "csv", "--cache_dir", folder.file("cache-\(backend)"),
      ] + more)
    #expect(result.status == 0 && !result.isKilled, Comment(rawValue: result.error))
    return try TrainingFolder.columns(folder.file(output) + "/logs/metrics.csv")
  }

  @Test func `twenty steps of the demo give the same losses and gradients`() throws {
    let (blas, vulkan) = (
      try train("blas", "blas", steps: 20), try train("vulkan", "vulkan", steps: 20)
    )
    for name in ["loss", "grad_norm"] {
      let (expected, found) = (try #require(blas[name]), try #require(vulkan[name]))
      #expect(expected.count == 20 && found.count == 20)
      for (step, (a, b)) in zip(expected, found).enumerated() {
        #expect(abs(a - b) <= 1e-3 * abs(a), "\(name) of step \(step + 1): \(a) and \(b)")
      }
    }
  }

  @Test func `two runs on vulkan give the same bytes`() throws {
    let adapters = try ["first", "second"].map { name in
      _ = try train("vulkan", name, steps: 2, ["--gradient_accumulation_steps", "2"])
      return FileManager.default.contents(
        atPath: folder.file(name) + "/diffusion_pytorch_model.safetensors")
    }
    #expect(adapters[0] != nil && adapters[0] == adapters[1])
  }
}
