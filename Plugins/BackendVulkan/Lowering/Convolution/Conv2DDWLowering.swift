import EspalierABI
import VulkanShaders

/// dy[B,Ho,Wo,O], x[B,H,W,C] → dw[O,C,kh,kw].
struct Conv2DDWLowering: Lowering {
  func objection(to node: NodeView, on limits: DeviceLimits) -> String? {
    guard let dy = node.input(0), let x = node.input(1), let dw = node.output(0) else {
      return "dy, x or dw is missing"
    }
    guard geometry(of: node) != nil else { return "dy, x, dw and the padding do not fit" }
    return storageObjection([dy, x], on: limits) ?? float32Objection([dw])
  }

  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 {
    guard let geometry = geometry(of: node), let product = product(of: node, on: limits) else {
      return 0
    }
    return geometry.isPointwise
      ? product.plan.partialBytes(product.form) : partialBytes(of: product)
  }

  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch] {
    guard let geometry = geometry(of: node), let product = product(of: node, on: limits),
      let dw = node.output(0)
    else { return [] }
    if geometry.isPointwise { return product.dispatches(into: ProductResult(y: dw)) }
    let partial = node.workspace(byteCount: partialBytes(of: product))
    var push = PushConstants()
    push.read(partial)
    push.write(dw)
    push.uint(geometry.channels)
    push.uint(geometry.taps)
    push.uint(dw.elementCount)
    push.uint(product.plan.splits)
    let order = Dispatch(
      ShaderVariant("filter_gradient", ["ACT": 0]), covering: dw.elementCount, push: push,
      work: partial.byteCount, on: limits)
    return [product.partials(into: partial), order]
  }

  private func partialBytes(of product: ProductDispatch) -> UInt64 {
    UInt64(product.plan.splits) * UInt64(product.form.rows) * UInt64(product.form.columns) * 4
  }

  private func geometry(of node: NodeView) -> ConvolutionGeometry? {
    guard let dy = node.input(0), let x = node.input(1), let dw = node.output(0) else {
      return nil
    }
    return ConvolutionGeometry(x: x.dims, w: dw.dims, y: dy.dims, integers: node.integers)
  }

  private func product(of node: NodeView, on limits: DeviceLimits) -> ProductDispatch? {
    guard let dy = node.input(0), let x = node.input(1), let geometry = geometry(of: node) else {
      return nil
    }
    let form = ProductForm(
      rows: geometry.filters, columns: geometry.taps * geometry.channels,
      depth: geometry.outputPixels,
      a: .init(isAcross: true, run: geometry.filters, dtype: dy.dtype, region: dy.region),
      b: .init(isAcross: true, run: geometry.channels, dtype: x.dtype, region: x.region))
    let plan = ProductPlan(form, on: limits)
    if geometry.isPointwise {
      return ProductDispatch(
        shader: "matmul", form: form, plan: plan, limits: limits, push: { $0.uint(form.depth) })
    }
    return ProductDispatch(
      shader: "conv2d_dw", form: form, plan: plan, limits: limits,
      constants: [
        UInt32(geometry.stride), UInt32(geometry.kernelWidth),
        geometry.outputWidth % plan.tile.depth == 0 ? 1 : 0,
      ],
      push: { push in
        push.uint(geometry.outputPixels)
        push.uint(geometry.height)
        push.uint(geometry.width)
        push.uint(geometry.channels)
        push.uint(geometry.outputHeight)
        push.uint(geometry.outputWidth)
        push.int(geometry.top)
        push.int(geometry.left)
        // A step of the reduction as images, rows and columns.
        let lines = plan.tile.depth / geometry.outputWidth
        push.uint(lines / geometry.outputHeight)
        push.uint(lines % geometry.outputHeight)
        push.uint(plan.tile.depth % geometry.outputWidth)
      })
  }
}
