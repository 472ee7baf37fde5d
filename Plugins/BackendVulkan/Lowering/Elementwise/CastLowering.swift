import EspalierABI
import VulkanShaders

/// x → the output's type, rounded to nearest even.
///
/// Works on any device: halves are packed in 32-bit words.
struct CastLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let y = node.output(0) else { return "x or y is missing" }
    guard x.elementCount == y.elementCount else { return "x and y differ in size" }
    let known = ESP_DTYPE_F32...ESP_DTYPE_I32
    return known.contains(x.dtype) && known.contains(y.dtype) ? nil : "a type is unknown"
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 {
    node.input(0)?.region.byteCount == node.output(0)?.region.byteCount ? 1 : 0
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let y = node.output(0) else { return [] }
    var push = PushConstants()
    push.source(x, on: limits)
    push.write(y)
    push.uint(x.elementCount)
    return [
      Dispatch(
        ShaderVariant("cast", ["FETCH": limits.fetchVariant]), covering: (x.elementCount + 3) / 4,
        constants: [UInt32(x.dtype), UInt32(y.dtype)], push: push,
        work: x.region.byteCount + y.region.byteCount, on: limits)
    ]
  }
}
