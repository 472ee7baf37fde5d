/// x → act(x).
struct UnaryLowering: ElementwiseLowering {
  let shader = "unary"
  let inputCount = 1

  func argumentObjection(of node: NodeView) -> String? { activationObjection(node.integers[0]) }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 }

  func constants(of node: NodeView) -> [UInt32] { [UInt32(node.integers[0])] }
}

/// dy, x → dy · act'(x).
struct UnaryBackwardLowering: ElementwiseLowering {
  let shader = "unary_backward"
  let inputCount = 2

  func argumentObjection(of node: NodeView) -> String? { activationObjection(node.integers[0]) }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 | 2 }

  func constants(of node: NodeView) -> [UInt32] { [UInt32(node.integers[0])] }
}
