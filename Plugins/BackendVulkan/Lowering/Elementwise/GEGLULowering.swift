/// x[…,2F] → x[…,:F] · gelu(x[…,F:]).
struct GEGLULowering: GatedLowering {
  let shader = "geglu"
  let inputCount = 1

  func sizeObjection(inputs: [Operand], output: Operand) -> String? {
    gateObjection(wide: inputs[0], narrow: output)
  }

  func narrow(inputs: [Operand], output: Operand) -> Operand { output }
}

/// dy[…,F], x[…,2F] → dx[…,2F].
struct GEGLUBackwardLowering: GatedLowering {
  let shader = "geglu_backward"
  let inputCount = 2

  func sizeObjection(inputs: [Operand], output: Operand) -> String? {
    guard inputs[1].elementCount == output.elementCount else { return "x and dx differ in size" }
    return gateObjection(wide: inputs[1], narrow: inputs[0])
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 2 }

  func narrow(inputs: [Operand], output: Operand) -> Operand { inputs[0] }
}

/// Rows of 2F elements beside rows of F; the invocations share the narrow ones, and the shader gets F.
private protocol GatedLowering: ElementwiseLowering {
  func narrow(inputs: [Operand], output: Operand) -> Operand
}

extension GatedLowering {
  func walk(inputs: [Operand], output: Operand) -> (operand: Operand, rowLength: Int) {
    let operand = narrow(inputs: inputs, output: output)
    return (operand, operand.lastDim)
  }

  func appendArguments(of node: NodeView, rowLength: Int, to push: inout PushConstants) {
    push.uint(rowLength)
    push.divisor(rowLength)
  }

  fileprivate func gateObjection(wide: Operand, narrow: Operand) -> String? {
    guard !wide.dims.isEmpty, !narrow.dims.isEmpty, wide.lastDim == 2 * narrow.lastDim else {
      return "the last axis of x is not 2F"
    }
    return wide.elementCount == 2 * narrow.elementCount ? nil : "its operands differ in rows"
  }
}
