import VulkanShaders

/// One run of a compute shader.
struct Dispatch: Sendable {
  var shader: ShaderVariant
  /// Values of the specialisation constants 0, 1, 2, …; by convention 0, 1 and 2 are the workgroup's
  /// size along x, y and z.
  var constants: [UInt32]
  /// What the shader's push constant block holds, in its order.
  var push: PushConstants
  /// Workgroups along x, y and z; each within `limits.maxGroupCount`.
  var groups: [UInt32]
  /// A rough count of floating-point operations or bytes moved, for cutting submissions.
  var work: Double
}
