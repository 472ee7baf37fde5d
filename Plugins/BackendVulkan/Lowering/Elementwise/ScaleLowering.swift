/// x → f[0]·x + f[1].
struct ScaleLowering: ElementwiseLowering {
  let shader = "scale"
  let inputCount = 1

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 }

  func appendArguments(of node: NodeView, rowLength: Int, to push: inout PushConstants) {
    push.float(node.floats[0])
    push.float(node.floats[1])
  }
}
