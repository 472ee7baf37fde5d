import EspalierABI
import VulkanShaders

/// prediction[B,…], target[B,…], weight[B] → mean_b(weight_b·mean((prediction − target)²)), and the means.
struct WeightedMSELowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let prediction = node.input(0), let target = node.input(1), let weight = node.input(2),
      let loss = node.output(0)
    else { return "prediction, target, weight or loss is missing" }
    guard loss.elementCount == 1 else { return "the loss is not one element" }
    let means = node.output(1)
    guard means == nil || means?.elementCount == prediction.firstDim else {
      return "the means are not [B]"
    }
    return float32Objection([loss, means])
      ?? weightedErrorObjection(
        prediction: prediction, target: target, weight: weight, on: limits)
  }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    guard let prediction = node.input(0) else { return 0 }
    let tiling = SampleTiling(of: prediction, limits: limits)
    var scratch = Scratch()
    _ = scratch.floats(tiling.samples * tiling.pieces)
    return scratch.byteCount
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let prediction = node.input(0), let target = node.input(1) else { return [] }
    let tiling = SampleTiling(of: prediction, limits: limits)
    var scratch = Scratch()
    let sums = scratch.floats(tiling.samples * tiling.pieces)
    var push = PushConstants()
    let isFetched = limits.fetches([prediction, target], byFours: tiling.isWide)
    for operand in [prediction, target] { push.source(operand.region, isFetched: isFetched) }
    push.write(sums)
    for size in [tiling.samples, tiling.count, tiling.piece] { push.uint(size) }
    let first = Dispatch(
      shader: ShaderVariant(
        "weighted_mse",
        [
          "ACT": prediction.storageVariant, "FETCH": isFetched ? 1 : 0,
          "SUBGROUP": limits.subgroupVariant,
        ]),
      constants: tiling.constants, push: push,
      groups: limits.grid(tiling.samples * tiling.pieces),
      work: Double(2 * prediction.elementCount))
    return [first, finish(node, sums, tiling, limits)]
  }

  private func finish(
    _ node: NodeView, _ sums: Region, _ tiling: SampleTiling, _ limits: DeviceLimits
  ) -> Dispatch {
    let size = min(limits.reductionGroupSize, tiling.pieces.nextPowerOfTwo)
    var push = PushConstants()
    push.read(sums)
    push.read(node.input(2))
    push.write(node.output(0))
    push.write(node.output(1))
    for size in [tiling.samples, tiling.elementCount, tiling.pieces] { push.uint(size) }
    return Dispatch(
      shader: ShaderVariant("weighted_mse_finish", ["SUBGROUP": limits.subgroupVariant]),
      constants: [UInt32(size), 1, 1, node.output(1) == nil ? 0 : 1], push: push,
      groups: [1, 1, 1], work: Double(tiling.samples * tiling.pieces))
  }
}
