import Foundation
import TestSupport
import Testing

/// `--logger_option`, `--scheduler_option` and `--backend_option` in the real program.
@Suite("Options of plugins") struct PluginOptionFlagTests {
  private func generate(_ more: [String]) throws -> Program.Result {
    try Program.run(
      [
        "generate", "--pretrained_model_name_or_path", Fixtures.path("tiny-sdxl"), "--prompt", "x",
        "--height", "64", "--width", "64", "--seed", "1", "--num_inference_steps", "1", "--output",
        "/nowhere/x.png",
      ] + more)
  }

  @Test(arguments: [
    (["--backend", "vulkan", "--backend_option", "kernel=gpu"], "did you mean 'kernels'?"),
    (["--backend", "vulkan", "--backend_option", "kernels=cpu"], "expected one of auto, gpu"),
    (["--backend", "blas", "--backend_option", "x=1"], "the backend 'blas' takes no options"),
    (
      ["--backend", "blas", "--backend_option", "vulkan.kernels=gpu"],
      "the backend 'vulkan' is not in use, but blas"
    ),
    (["--backend_option", "kernels"], "expected KEY=VALUE or NAME.KEY=VALUE"),
    (
      ["--scheduler_option", "use_karas_sigmas=true"],
      "--scheduler_option use_karas_sigmas: the scheduler 'euler'"
    ),
  ])
  func `one that does not fit is a fault of the command line`(
    flags: [String], reason: String
  ) throws {
    let result = try generate(flags)
    #expect(result.status == 2, Comment(rawValue: result.error))
    #expect(result.error.contains("error: --"))
    #expect(result.error.contains(reason), Comment(rawValue: result.error))
  }

  @Test func `training refuses one before it reads a model`() throws {
    let arguments = [
      "train", "--pretrained_model_name_or_path", "/nowhere/model", "--train_data_dir", "/nowhere",
      "--report_to", "csv", "--backend", TestBackend.current,
    ]
    let unknown = try Program.run(arguments + ["--logger_option", "csv.colums=3"])
    #expect(unknown.status == 2, Comment(rawValue: unknown.error))
    #expect(unknown.error.contains("--logger_option csv.colums: the logger 'csv'"))
    let other = try Program.run(arguments + ["--logger_option", "cvs.x=3"])
    #expect(other.status == 2)
    #expect(other.error.contains("'cvs' is not in use (did you mean 'csv'?)"))
    let form = try Program.run(arguments + ["--logger_option", "x"])
    #expect(form.status == 2)
    #expect(form.error.contains("--logger_option is 'x'"))
  }

  @Test func `a backend gets what the user sets`() throws {
    let folder = try temporaryFolder()
    let library = try CompiledPlugin.build(
      "scale_backend", "backend-abacus", ["-DHAS_OPTION"], in: folder)
    let good = try Program.run(
      ["conformance", library, "--op", "scale", "--backend_option", "abacus.beads=wood"])
    #expect(good.status == 0, Comment(rawValue: good.output + good.error))
    let refused = try Program.run(
      ["conformance", library, "--op", "scale", "--backend_option", "beads=glass"])
    #expect(refused.status == 1)
    #expect(refused.error.contains("glass beads break"), Comment(rawValue: refused.error))
    let unknown = try Program.run(
      ["conformance", library, "--op", "scale", "--backend_option", "bead=wood"])
    #expect(unknown.status == 2)
    #expect(unknown.error.contains("did you mean 'beads'?"), Comment(rawValue: unknown.error))
  }

  @Test func `a plugin or scheduler is shown in full by its name`() throws {
    let vulkan = try Program.run(["plugins", "vulkan"])
    #expect(vulkan.status == 0)
    #expect(vulkan.output.contains("--backend_option KEY=VALUE"))
    #expect(
      vulkan.output.contains(#/kernels +auto\|gpu +auto +/#), Comment(rawValue: vulkan.output))
    #expect(!vulkan.output.contains("libespalier-logger-csv.so"))
    for name in ["euler", "EulerDiscreteScheduler"] {
      let euler = try Program.run(["plugins", name])
      #expect(euler.status == 0)
      #expect(euler.output.contains("euler: EulerDiscreteScheduler"))
      #expect(!euler.output.contains("DDPMScheduler\n"))
    }
    let unknown = try Program.run(["plugins", "vulcan"])
    #expect(unknown.status == 1)
    #expect(unknown.output.isEmpty)
    #expect(unknown.error.contains("'vulcan' (did you mean 'vulkan'?)"))
  }
}
