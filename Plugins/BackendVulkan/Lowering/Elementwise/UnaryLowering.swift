import EspalierABI

/// x → act(x).
struct UnaryLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let y = node.output(0) else { return "x or y is missing" }
    guard x.elementCount == y.elementCount else { return "x and y differ in size" }
    return activationObjection(node.integers[0]) ?? storageObjection([x, y], on: limits)
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let x = node.input(0), let y = node.output(0) else { return [] }
    var push = PushConstants()
    push.read(x)
    push.write(y)
    push.uint(x.elementCount)
    let size = limits.groupSize(256)
    return [
      Dispatch(
        shader: ShaderVariant("unary", ["ACT": x.storageVariant]),
        constants: [UInt32(size), 1, 1, UInt32(node.integers[0])], push: push,
        groups: limits.grid((x.elementCount + size - 1) / size), work: Double(x.elementCount))
    ]
  }
}
