import EspalierABI
import VulkanShaders

/// The dispatches of a product, and of the pass that sums its parts if it is split.
struct ProductDispatch {
  let shader: String
  let form: ProductForm
  let plan: ProductPlan
  let limits: DeviceLimits
  /// The shader's own specialisation constants, from 17 on.
  var constants: [UInt32] = []
  /// Appends what the shader's push constants hold after the operands.
  let push: (inout PushConstants) -> Void

  /// The product with its epilogue; partial sums take the workspace from `offset` on.
  func dispatches(into result: ProductResult, workspaceOffset offset: UInt64 = 0) -> [Dispatch] {
    guard plan.splits > 1 else { return [product(into: result.y.region, result)] }
    let partial = Region(
      base: .workspace, offset: offset, byteCount: plan.partialBytes(form))
    return [partials(into: partial), sum(partial, into: result)]
  }

  /// The sums of each part, [splits, rows, columns] in f32.
  func partials(into region: Region) -> Dispatch { product(into: region, nil) }

  private func product(into region: Region, _ result: ProductResult?) -> Dispatch {
    var operands = block(into: region, result)
    operands.read(form.a.region)
    operands.read(form.b.region)
    for side in [form.a, form.b] {
      if plan.core == .texels { operands.fetch(side.region) } else { operands.uint(0) }
    }
    push(&operands)
    let tile = plan.tile
    let wholeSteps = form.depth % tile.depth == 0
    return Dispatch(
      shader: ShaderVariant(
        shader,
        [
          "ACT": Int(form.a.dtype), "CORE": plan.core.rawValue, "WEIGHT": Int(form.b.dtype),
        ]),
      constants: [
        UInt32(tile.groupSize[0]), UInt32(tile.groupSize[1]), 1, UInt32(tile.coreRows),
        UInt32(tile.coreColumns), UInt32(tile.coreDepth), form.a.isAcross.constant,
        form.b.isAcross.constant, form.a.hasQuads.constant, form.b.hasQuads.constant,
        wholeSteps.constant,
      ] + epilogue(result) + constants,
      push: operands, groups: limits.grid(plan.groups),
      work: 2 * Double(form.rows) * Double(form.columns) * Double(form.depth * form.taps))
  }

  private func sum(_ partial: Region, into result: ProductResult) -> Dispatch {
    var operands = block(into: result.y.region, result)
    operands.read(partial)
    operands.uint(plan.splits)
    return Dispatch(
      ShaderVariant("split_sum", ["ACT": Int(form.a.dtype)]),
      covering: form.rows * ((form.columns + 3) / 4),
      constants: [UInt32](repeating: 0, count: 8) + epilogue(result), push: operands,
      work: partial.byteCount, on: limits)
  }

  /// The struct `Product` of `product_block.glsl`.
  private func block(into y: Region, _ result: ProductResult?) -> PushConstants {
    var block = PushConstants()
    block.write(y)
    block.read(result?.bias)
    block.read(result?.channel)
    block.read(result?.residual)
    block.uint(form.rows)
    block.uint(form.columns)
    block.uint(result?.rowsPerSample ?? 1)
    block.uint(plan.steps)
    block.uint(plan.stepsPerSplit)
    return block
  }

  /// The specialisation constants of `product_result.glsl`; nil: partial sums.
  private func epilogue(_ result: ProductResult?) -> [UInt32] {
    let isFloat = result.map { $0.y.dtype == ESP_DTYPE_F32 } ?? true
    return [
      (form.columns % 4 == 0).constant, isFloat.constant, UInt32(result?.act ?? 0),
      UInt32(result?.bias?.dtype ?? 3), (result?.channel != nil).constant,
      (result?.residual != nil).constant,
    ]
  }
}

extension Bool {
  /// As a specialisation constant.
  fileprivate var constant: UInt32 { self ? 1 : 0 }
}
