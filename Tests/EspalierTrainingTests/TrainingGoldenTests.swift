import EspalierCheckpoints
import EspalierGraph
import EspalierHost
import EspalierModels
import EspalierTensors
import EspalierTraining
import TestSupport
import Testing

/// The reference objective over 12 optimizer steps of two micro-batches each, against PyTorch.
///
/// Goldens: `train.json`, `train_draws`, `train_grads_step0`, `train_params_after_1` and `_12`; the draws of
/// the first four micro-batches are stored, all others are remade from their seeds.
@Suite("The reference training run", .serialized, .onEveryBackend) struct TrainingGoldenTests {
  /// Passes that keep much in memory are left out for a model at its full size.
  private static func graphs(_ all: [GraphOptions], atFullSize few: [GraphOptions])
    -> [GraphOptions]
  {
    Fixtures.isFullSize ? few : all
  }

  @Test(
    arguments: graphs(
      [
        GraphOptions(), GraphOptions(fusion: false), GraphOptions(recompute: true),
        GraphOptions(fusion: false, recompute: true, planner: false),
      ], atFullSize: [GraphOptions(recompute: true)]))
  func `gradients of step 0 match PyTorch`(graph: GraphOptions) throws {
    let run = try ReferenceRun(graph: graph)
    for micro in 0..<ReferenceRun.accumulation {
      let result = try run.step.run(
        try run.batch(micro), seed: 1 / Double(ReferenceRun.accumulation), isFirst: micro == 0)
      let expected = try run.draws.tensor("\(micro).loss").floats()
      expectClose([result.loss], expected, relativeL2: 1e-4)
    }
    let gradients = try run.parameters.read(.gradient)
    let goldens = try Fixtures.tensors("train_grads_step0.safetensors")
    #expect(gradients.count == goldens.names.count)
    for name in goldens.names {
      let gradient = try #require(gradients["adapter." + name])
      expectClose(gradient.floats(), try goldens.tensor(name).floats(), relativeL2: 1e-4)
    }
  }

  @Test(
    arguments: graphs(
      [
        GraphOptions(), GraphOptions(fusion: false), GraphOptions(planner: false),
        GraphOptions(recompute: true), GraphOptions(fusion: false, recompute: true, planner: false),
      ], atFullSize: [GraphOptions()]))
  func `losses, rates and weights follow PyTorch for all steps`(graph: GraphOptions) throws {
    let run = try ReferenceRun(graph: graph)
    let golden = try TrainingGolden()
    let schedule = try LearningRateSchedule(
      kind: .cosine, baseRate: 1e-3, warmupSteps: 3, totalSteps: golden.loss.count)
    for step in golden.loss.indices {
      var loss = 0.0
      for micro in 0..<ReferenceRun.accumulation {
        let batch = try run.batch(step * ReferenceRun.accumulation + micro)
        let result = try run.step.run(
          batch, seed: 1 / Double(ReferenceRun.accumulation), isFirst: micro == 0)
        loss += Double(result.loss) / Double(ReferenceRun.accumulation)
      }
      let norm = try run.optimizer.gradientNorm()
      let rate = schedule.rate(at: step)
      if Fixtures.isFullSize {
        print(
          "step \(step): loss \(loss), \(golden.loss[step]); norm \(norm), \(golden.gradNorm[step])"
        )
      }
      #expect(abs(loss - golden.loss[step]) <= 1e-4 * golden.loss[step], "loss of step \(step)")
      #expect(
        abs(norm - golden.gradNorm[step]) <= 1e-4 * golden.gradNorm[step], "norm of step \(step)")
      #expect(abs(rate - golden.rate[step]) <= 1e-12, "rate of step \(step)")
      try run.optimizer.step(
        step + 1, learningRate: rate,
        gradientMultiplier: AdamWOptimizer.clipFactor(norm: norm, maximum: 1))
      if step == 0 { try run.expectParameters("train_params_after_1.safetensors") }
    }
    try run.expectParameters("train_params_after_\(golden.loss.count).safetensors")
  }

  @Test
  func `nothing frozen has a gradient and nothing upstream of the injection is differentiated`()
    throws
  {
    let program = try TrainingStep.program(ReferenceRun.configuration(graph: GraphOptions()))
    let trained = try Fixtures.tensors("train_grads_step0.safetensors").names
    let outputs = program.tensors(.output).keys.filter { $0.hasPrefix("gradient/") }
    #expect(Set(outputs) == Set(trained.map { "gradient/adapter." + $0 }))
    let weightGradients = program.nodes.filter { [.conv2dDW, .linearDW].contains($0.code) }
    #expect(weightGradients.count == trained.filter { $0.hasSuffix("weight") }.count)
    #expect(weightGradients.allSatisfy { $0.path.hasPrefix("adapter.") })
    let backward = program.nodes.filter(\.isBackward)
    for part in [
      "conv_in", "time_embedding", "add_embedding", "down_blocks.0", "attn2.to_k", "attn2.to_v",
    ] {
      let found = backward.filter { $0.path.hasPrefix("unet.") && $0.path.contains(part + ".") }
      #expect(found.isEmpty, "\(part) is differentiated")
      let forward = program.nodes.contains { $0.path.contains(part) }
      #expect(forward, "\(part) is not in the forward pass")
    }
  }
}
