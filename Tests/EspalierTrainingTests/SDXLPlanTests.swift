import EspalierCheckpoints
import EspalierGraph
import EspalierModels
import EspalierTraining
import TestSupport
import Testing

/// The training step of the real SDXL at 1024 × 1024, planned and never run.
@Suite("SDXL's training step") struct SDXLPlanTests {
  @Test func `fits into a few GiB of temporaries when blocks are recomputed`() throws {
    let kept = try arenaBytes(recompute: false)
    let recomputed = try arenaBytes(recompute: true)
    print("temporaries at 1024 × 1024: \(kept >> 20) MiB, recomputed \(recomputed >> 20) MiB")
    #expect(recomputed * 2 < kept)
    #expect(recomputed < 3 << 30)
  }

  private func arenaBytes(recompute: Bool) throws -> Int {
    let unet = Fixtures.sdxlFolder + "/unet/config.json"
    var configuration = TrainingStep.Configuration(
      unet: try UNet2DConditionConfiguration(JSONObject(contentsOf: unet)),
      adapter: .sdxl, batchSize: 1, latentHeight: 128, latentWidth: 128)
    configuration.graph = GraphOptions(recompute: recompute)
    let program = try TrainingStep.program(configuration)
    let nodes = program.nodes.count
    let plan = MemoryPlan(
      program,
      MemoryPlan.Constraints(
        alignment: 64, maxArenaBytes: .max, workspaces: [Int](repeating: 0, count: nodes),
        inPlaceVetoes: [UInt8](repeating: 0, count: nodes),
        vanishing: [Bool](repeating: false, count: program.tensors.count),
        fusedInto: [Int?](repeating: nil, count: nodes)))
    return plan.arenaBytes.reduce(0, +)
  }
}
