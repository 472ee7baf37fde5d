import VulkanShaders

/// Why two maps are not [B,H,W,C] that differ in height and width only, or nil.
func mapsObjection(_ x: Operand, _ y: Operand, on limits: DeviceLimits) -> String? {
  guard x.dims.count == 4, y.dims.count == 4 else { return "its operands are not [B,H,W,C]" }
  guard x.dims[0] == y.dims[0], x.dims[3] == y.dims[3] else {
    return "its operands differ in batch or channels"
  }
  // Shaders multiply a side of one map with a side of the other, and divide that.
  guard (x.dims[1...2] + y.dims[1...2]).allSatisfy({ $0 < 1 << 15 }) else {
    return "a side of a map is longer than 32767"
  }
  return storageObjection([x, y], on: limits)
}

extension Dispatch {
  /// Makes a map [B,H,W,C] from another one of the same channels; an invocation takes some channels of a pixel.
  ///
  /// The push constants are the two maps, the number of invocations, those of a pixel, `sides`, and divisors by
  /// the invocations of a pixel and by the target's height and width.
  ///
  /// - Parameters:
  ///   - share: Splits a number of elements, C or a multiple, among invocations.
  ///   - sides: The heights and widths that the shader asks for.
  init(
    _ shader: ShaderVariant, from source: Operand, to target: Operand, share: (Int) -> Int,
    sides: ArraySlice<Int>, constants: [UInt32] = [], on limits: DeviceLimits
  ) {
    let count = share(target.elementCount)
    let pixel = share(target.lastDim)
    var push = PushConstants()
    push.source(source, on: limits)
    push.write(target)
    push.uint(count)
    push.uint(pixel)
    for side in sides { push.uint(side) }
    push.divisor(pixel)
    push.divisor(target.dims[1])
    push.divisor(target.dims[2])
    self.init(
      shader, covering: count, constants: constants, push: push,
      work: source.region.byteCount + target.region.byteCount, on: limits)
  }

  /// The same for a shader with `Include/lanes.glsl`.
  init(
    lanes shader: String, from source: Operand, to target: Operand, sides: ArraySlice<Int>,
    on limits: DeviceLimits
  ) {
    let lanes = Lanes(rowLength: target.lastDim)
    self.init(
      ShaderVariant(shader, ["ACT": target.storageVariant, "FETCH": limits.fetchVariant]),
      from: source, to: target, share: { $0 / lanes.count }, sides: sides,
      constants: [lanes.constant], on: limits)
  }
}
