import EspalierABI

/// x[B,H,W,C], w[O,C,kh,kw], bias[O]?, channel[B,O]?, residual[B,Ho,Wo,O]?
/// → act(conv(x,w) + bias + channel) + residual.
struct Conv2DLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let x = node.input(0), let w = node.input(1), let y = node.output(0) else {
      return "x, w or y is missing"
    }
    guard let geometry = geometry(of: node) else { return "x, w, y and the padding do not fit" }
    let (bias, channel, residual) = (node.input(2), node.input(3), node.input(4))
    guard bias.map({ $0.elementCount == geometry.filters }) ?? true,
      channel.map({ $0.elementCount == geometry.batch * geometry.filters }) ?? true,
      residual.map({ $0.elementCount == y.elementCount }) ?? true
    else { return "the bias, the channel or the residual does not fit y" }
    return activationObjection(node.integers[0])
      ?? storageObjection([x, y, channel, residual], on: limits) ?? weightObjection([w])
      ?? weightObjection([bias])
  }

  func inPlaceInputs(of node: NodeView) -> UInt32 { 1 << 4 }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    guard let product = product(of: node, on: limits) else { return 0 }
    return product.packedBytes + product.dispatch.plan.partialBytes(product.dispatch.form)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let product = product(of: node, on: limits), let y = node.output(0),
      let geometry = geometry(of: node)
    else { return [] }
    return product.packing
      + product.dispatch.dispatches(
        into: ProductResult(
          y: y, bias: node.input(2), channel: node.input(3), residual: node.input(4),
          act: node.integers[0], rowsPerSample: geometry.outputHeight * geometry.outputWidth),
        workspaceOffset: product.packedBytes)
  }

  private func geometry(of node: NodeView) -> ConvolutionGeometry? {
    guard let x = node.input(0), let w = node.input(1), let y = node.output(0) else { return nil }
    return ConvolutionGeometry(x: x.dims, w: w.dims, y: y.dims, integers: node.integers)
  }

  private func product(of node: NodeView, on limits: DeviceLimits) -> ConvolutionProduct? {
    guard let x = node.input(0), let w = node.input(1), let geometry = geometry(of: node) else {
      return nil
    }
    return ConvolutionProduct(geometry, source: x, w: w, isTransposed: false, on: limits)
  }
}
