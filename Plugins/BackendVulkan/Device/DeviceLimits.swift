/// What a device can do, as lowerings need to know it.
struct DeviceLimits: Sendable, Equatable {
  /// Invocations of one workgroup.
  var maxInvocations: Int
  /// Workgroup size along x, y and z.
  var maxGroupSize: [Int]
  /// Workgroups of a dispatch along x, y and z.
  var maxGroupCount: [Int]
  /// Bytes of shared memory of one workgroup.
  var sharedMemoryBytes: Int
  /// Bytes of push constants.
  var pushConstantBytes: Int
  /// Invocations of a subgroup.
  var subgroupSize: Int
  /// Shaders may use arithmetic, broadcast and shuffle across a subgroup.
  var hasSubgroupOperations: Bool
  /// Buffers may hold f16 (`VK_KHR_16bit_storage`), so activations may be stored in it.
  var hasFloat16Storage: Bool
  /// Shaders may compute in f16.
  var hasFloat16Arithmetic: Bool
  /// The 16×16×16 f16 → f32 product of a subgroup is offered.
  var hasCooperativeMatrix: Bool
  /// Texel buffers over all memory: by far the fastest way to read on the CPU drivers.
  var hasTexelFetch: Bool
  /// The device is the CPU: no shared memory to gain from, large register tiles pay.
  var isSoftware: Bool
  /// Each start of the program compiles all shaders anew, and what they unroll is most of its time.
  var compilesSlowly: Bool

  /// The same device, as if it were a GPU of these limits.
  var asGPU: DeviceLimits {
    var limits = self
    limits.isSoftware = false
    limits.hasTexelFetch = false
    return limits
  }

  /// A workgroup size along x: `wanted`, or what the device allows, a power of two.
  func groupSize(_ wanted: Int) -> Int {
    var size = 1
    while size * 2 <= min(wanted, maxInvocations, maxGroupSize[0]) { size *= 2 }
    return size
  }

  /// Workgroups for `count` of them in a row, folded into y where x would be too long. Shaders get the
  /// number back with `group_index()` and must skip numbers from `count` on.
  func grid(_ count: Int) -> [UInt32] {
    let width = min(max(count, 1), maxGroupCount[0], 32768)
    return [UInt32(width), UInt32((max(count, 1) + width - 1) / width), 1]
  }
}
