import EspalierABI

/// dy[B,Ho,Wo,O], w[O,C,kh,kw], residual[B,H,W,C]? → dx + residual [B,H,W,C].
struct Conv2DDXLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let dy = node.input(0), let w = node.input(1), let dx = node.output(0) else {
      return "dy, w or dx is missing"
    }
    guard geometry(of: node) != nil else { return "dy, w, dx and the padding do not fit" }
    let residual = node.input(2)
    guard residual.map({ $0.elementCount == dx.elementCount }) ?? true else {
      return "the residual does not fit dx"
    }
    return storageObjection([dy, dx, residual], on: limits) ?? weightObjection([w])
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 << 2 }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    guard let product = product(of: node, on: limits) else { return 0 }
    return product.packedBytes + product.dispatch.plan.partialBytes(product.dispatch.form)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let product = product(of: node, on: limits), let dx = node.output(0) else { return [] }
    return product.packing
      + product.dispatch.dispatches(
        into: ProductResult(y: dx, residual: node.input(2)), workspaceOffset: product.packedBytes)
  }

  private func geometry(of node: NodeView) -> ConvolutionGeometry? {
    guard let dy = node.input(0), let w = node.input(1), let dx = node.output(0) else {
      return nil
    }
    return ConvolutionGeometry(x: dx.dims, w: w.dims, y: dy.dims, integers: node.integers)
  }

  private func product(of node: NodeView, on limits: DeviceLimits) -> ConvolutionProduct? {
    guard let dy = node.input(0), let w = node.input(1), let geometry = geometry(of: node) else {
      return nil
    }
    return ConvolutionProduct(geometry, source: dy, w: w, isTransposed: true, on: limits)
  }
}
