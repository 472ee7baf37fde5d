import EspalierABI

/// x[…,K], w[N,K], bias[N]?, residual[…,N]? → act(x·wᵀ + bias) + residual.
struct LinearLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let w = node.input(1), let y = node.output(0) else {
      return "x, w or y is missing"
    }
    guard w.dims.count == 2, x.lastDim == w.lastDim else { return "x and w do not fit" }
    let (bias, residual) = (node.input(2), node.input(3))
    guard y.lastDim == w.firstDim, y.elementCount / w.firstDim == x.elementCount / x.lastDim
    else { return "y does not fit x and w" }
    guard bias.map({ $0.elementCount == w.firstDim }) ?? true,
      residual.map({ $0.elementCount == y.elementCount }) ?? true
    else { return "the bias or the residual does not fit y" }
    return activationObjection(node.integers[0])
      ?? storageObjection([x, y, residual], on: limits) ?? weightObjection([w])
      ?? weightObjection([bias])
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 << 3 }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    guard let form = form(of: node) else { return 0 }
    return ProductPlan(form, on: limits).partialBytes(form)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let form = form(of: node), let y = node.output(0) else { return [] }
    let product = ProductDispatch(
      shader: "matmul", form: form, plan: ProductPlan(form, on: limits), limits: limits,
      push: { $0.uint(form.depth) })
    return product.dispatches(
      into: ProductResult(
        y: y, bias: node.input(2), residual: node.input(3), act: node.integers[0]))
  }

  private func form(of node: NodeView) -> ProductForm? {
    guard let x = node.input(0), let w = node.input(1) else { return nil }
    return ProductForm(
      rows: x.elementCount / x.lastDim, columns: w.firstDim, depth: x.lastDim,
      a: .init(isAcross: false, run: x.lastDim, dtype: x.dtype, region: x.region),
      b: .init(isAcross: false, run: x.lastDim, dtype: w.dtype, region: w.region))
  }
}
