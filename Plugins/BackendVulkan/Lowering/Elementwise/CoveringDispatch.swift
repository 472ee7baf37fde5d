import VulkanShaders

/// How many elements an invocation of a kernel with `Include/lanes.glsl` takes.
struct Lanes {
  /// Four where rows of this length allow it, else one.
  let count: Int

  init(rowLength: Int) { count = rowLength.isMultiple(of: 4) ? 4 : 1 }

  /// The value of the shader's constant `quads`.
  var constant: UInt32 { count == 4 ? 1 : 0 }
}

extension Dispatch {
  /// One invocation for each number below `count`; the shader gets it from `invocation_index()`.
  ///
  /// `constants` follow the three of the workgroup's size; `work` is what it moves, in bytes.
  init(
    _ shader: ShaderVariant, covering count: Int, constants: [UInt32] = [], push: PushConstants,
    work: UInt64, on limits: DeviceLimits
  ) {
    let size = limits.groupSize(256)
    self.init(
      shader: shader, constants: [UInt32(size), 1, 1] + constants, push: push,
      groups: limits.grid((count + size - 1) / size), work: Double(work))
  }
}

extension DeviceLimits {
  /// The value of the shader definition `FETCH`: how `Include/sources.glsl` reads.
  var fetchVariant: Int { hasTexelFetch ? 1 : 0 }
}

extension PushConstants {
  /// A `Divisor` of `Include/divide.glsl`, for numbers below 2³¹.
  mutating func divisor(_ divisor: Int) {
    var shift = 0
    while 1 << shift < divisor { shift += 1 }
    uint((1 << (31 + shift)) / divisor + 1)
    uint(shift)
  }

  /// A `Source` of `Include/sources.glsl`; the n-th one of a block is read through slot n.
  mutating func source(_ operand: Operand?, on limits: DeviceLimits) {
    switch (operand, limits.hasTexelFetch) {
    case (let operand?, true): fetch(operand.region)
    case (nil, true): uint(0)
    case (_, false): read(operand)
    }
  }
}
