import EspalierABI
import VulkanShaders

/// dloss[1], prediction, target, weight[B] → dprediction.
struct WeightedMSEBackwardLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let dloss = node.input(0), let prediction = node.input(1), let target = node.input(2),
      let weight = node.input(3), let gradient = node.output(0)
    else { return "dloss, prediction, target, weight or the gradient is missing" }
    guard dloss.elementCount == 1 else { return "dloss is not one element" }
    guard gradient.dims == prediction.dims else { return "the gradient differs in shape" }
    return float32Objection([dloss])
      ?? weightedErrorObjection(
        prediction: prediction, target: target, weight: weight, on: limits)
      ?? storageObjection([prediction, gradient], on: limits)
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 2 | 4 }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let prediction = node.input(1) else { return [] }
    let tiling = SampleTiling(of: prediction, limits: limits)
    var push = PushConstants()
    for k in 0..<4 { push.read(node.input(k)) }
    push.write(node.output(0))
    for size in [tiling.samples, tiling.count, tiling.piece] { push.uint(size) }
    push.float(2 / Double(prediction.elementCount))
    return [
      Dispatch(
        shader: ShaderVariant("weighted_mse_backward", ["ACT": prediction.storageVariant]),
        constants: tiling.constants, push: push,
        groups: limits.grid(tiling.samples * tiling.pieces),
        work: Double(3 * prediction.elementCount))
    ]
  }
}
