import EspalierABI

/// dy[…,N], w[N,K], residual[…,K]? → dy·w + residual [… ,K].
struct LinearDXLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let dy = node.input(0), let w = node.input(1), let dx = node.output(0) else {
      return "dy, w or dx is missing"
    }
    guard w.dims.count == 2, dy.lastDim == w.firstDim else { return "dy and w do not fit" }
    let residual = node.input(2)
    guard dx.lastDim == w.lastDim, dx.elementCount / w.lastDim == dy.elementCount / dy.lastDim
    else { return "dx does not fit dy and w" }
    guard residual.map({ $0.elementCount == dx.elementCount }) ?? true else {
      return "the residual does not fit dx"
    }
    return storageObjection([dy, dx, residual], on: limits) ?? weightObjection([w])
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 << 2 }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    guard let form = form(of: node) else { return 0 }
    return ProductPlan(form, on: limits).partialBytes(form)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let form = form(of: node), let dx = node.output(0) else { return [] }
    let product = ProductDispatch(
      shader: "matmul", form: form, plan: ProductPlan(form, on: limits), limits: limits,
      push: { $0.uint(form.depth) })
    return product.dispatches(into: ProductResult(y: dx, residual: node.input(2)))
  }

  private func form(of node: NodeView) -> ProductForm? {
    guard let dy = node.input(0), let w = node.input(1) else { return nil }
    return ProductForm(
      rows: dy.elementCount / dy.lastDim, columns: w.lastDim, depth: dy.lastDim,
      a: .init(isAcross: false, run: dy.lastDim, dtype: dy.dtype, region: dy.region),
      b: .init(isAcross: true, run: w.lastDim, dtype: w.dtype, region: w.region))
  }
}
