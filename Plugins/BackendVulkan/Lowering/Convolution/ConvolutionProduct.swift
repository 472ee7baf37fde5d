import EspalierABI

/// A convolution, or its gradient in x, as a product over taps and channels.
struct ConvolutionProduct {
  /// Bytes at the front of the node's workspace that hold the packed filters.
  let packedBytes: UInt64
  /// The pass that packs the filters, where one is needed.
  let packing: [Dispatch]
  let dispatch: ProductDispatch

  /// - Parameters:
  ///   - source: x, or dy if `isTransposed`.
  ///   - isTransposed: Make the gradient in x.
  init(
    _ geometry: ConvolutionGeometry, source: Operand, w: Operand, isTransposed: Bool,
    on limits: DeviceLimits
  ) {
    if geometry.isPointwise {
      self.init(pointwise: geometry, source: source, w: w, isTransposed, limits)
    } else {
      self.init(taps: geometry, source: source, w: w, isTransposed, limits)
    }
  }

  private init(
    taps geometry: ConvolutionGeometry, source: Operand, w: Operand, _ isTransposed: Bool,
    _ limits: DeviceLimits
  ) {
    let filters = FilterPacking(w: w, geometry: geometry)
    packedBytes = filters.workspaceBytes
    packing = filters.dispatches(on: limits)
    let form = ProductForm(
      rows: isTransposed ? geometry.inputPixels : geometry.outputPixels,
      columns: isTransposed ? geometry.channels : geometry.filters,
      depth: source.lastDim, taps: geometry.taps,
      a: .init(
        isAcross: false, run: source.lastDim, dtype: source.dtype, region: source.region),
      b: .init(
        isAcross: isTransposed, run: geometry.channels, dtype: ESP_DTYPE_F32,
        region: filters.region, source: w.dtype))
    let sourceSize = [geometry.height, geometry.width]
    let targetSize = [geometry.outputHeight, geometry.outputWidth]
    dispatch = ProductDispatch(
      shader: "conv2d", form: form, plan: ProductPlan(form, on: limits), limits: limits,
      constants: [
        isTransposed ? 1 : 0, UInt32(geometry.stride), UInt32(geometry.kernelWidth),
      ],
      push: { push in
        for size in isTransposed ? targetSize : sourceSize { push.uint(size) }
        push.uint(source.lastDim)
        for size in isTransposed ? sourceSize : targetSize { push.uint(size) }
        push.uint(geometry.taps)
        push.int(geometry.top)
        push.int(geometry.left)
      })
  }

  /// One tap on every pixel: the product of two matrices as they lie in memory.
  private init(
    pointwise geometry: ConvolutionGeometry, source: Operand, w: Operand, _ isTransposed: Bool,
    _ limits: DeviceLimits
  ) {
    packedBytes = 0
    packing = []
    let form = ProductForm(
      rows: geometry.inputPixels, columns: isTransposed ? geometry.channels : geometry.filters,
      depth: source.lastDim,
      a: .init(
        isAcross: false, run: source.lastDim, dtype: source.dtype, region: source.region),
      b: .init(
        isAcross: isTransposed, run: geometry.channels, dtype: w.dtype, region: w.region))
    dispatch = ProductDispatch(
      shader: "matmul", form: form, plan: ProductPlan(form, on: limits), limits: limits,
      push: { $0.uint(form.depth) })
  }
}
