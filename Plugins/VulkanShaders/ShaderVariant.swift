/// A shader source with its preprocessor definitions.
package struct ShaderVariant: Hashable, Sendable {
  /// The file's name in `Shaders/` without `.comp`.
  package let name: String
  /// Sorted by name; the shader's `//! variants` line lists what is allowed.
  package let defines: [Define]

  package struct Define: Hashable, Sendable {
    package let name: String
    package let value: Int
  }

  package init(_ name: String, _ defines: KeyValuePairs<String, Int> = [:]) {
    self.init(name, defines: defines.map { Define(name: $0.key, value: $0.value) })
  }

  package init(_ name: String, defines: [Define]) {
    self.name = name
    self.defines = defines.sorted { $0.name < $1.name }
  }
}

extension ShaderVariant: CustomStringConvertible {
  package var description: String {
    ([name] + defines.map { "\($0.name)=\($0.value)" }).joined(separator: " ")
  }
}
