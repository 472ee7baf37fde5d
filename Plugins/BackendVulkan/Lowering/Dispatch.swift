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

/// A shader source with its preprocessor definitions.
struct ShaderVariant: Hashable, Sendable {
  /// The file's name in `Shaders/` without `.comp`.
  let name: String
  /// Sorted by name; the shader's `//! variants` line lists what is allowed.
  let defines: [Define]

  struct Define: Hashable, Sendable {
    let name: String
    let value: Int
  }

  init(_ name: String, _ defines: KeyValuePairs<String, Int> = [:]) {
    self.init(name, defines: defines.map { Define(name: $0.key, value: $0.value) })
  }

  init(_ name: String, defines: [Define]) {
    self.name = name
    self.defines = defines.sorted { $0.name < $1.name }
  }
}
