import EspalierABI

/// dy[…,N], x[…,K] → dyᵀ·x [N,K].
struct LinearDWLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let dy = node.input(0), let x = node.input(1), let dw = node.output(0) else {
      return "dy, x or dw is missing"
    }
    guard dy.elementCount / dy.lastDim == x.elementCount / x.lastDim else {
      return "dy and x differ in rows"
    }
    guard dw.dims == [dy.lastDim, x.lastDim] else { return "dw does not fit dy and x" }
    return storageObjection([dy, x], on: limits) ?? float32Objection([dw])
  }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    guard let form = form(of: node) else { return 0 }
    return ProductPlan(form, on: limits).partialBytes(form)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let form = form(of: node), let dw = node.output(0) else { return [] }
    let product = ProductDispatch(
      shader: "matmul", form: form, plan: ProductPlan(form, on: limits), limits: limits,
      push: { $0.uint(form.depth) })
    return product.dispatches(into: ProductResult(y: dw))
  }

  private func form(of node: NodeView) -> ProductForm? {
    guard let dy = node.input(0), let x = node.input(1) else { return nil }
    return ProductForm(
      rows: dy.lastDim, columns: x.lastDim, depth: dy.elementCount / dy.lastDim,
      a: .init(isAcross: true, run: dy.lastDim, dtype: dy.dtype, region: dy.region),
      b: .init(isAcross: true, run: x.lastDim, dtype: x.dtype, region: x.region))
  }
}
