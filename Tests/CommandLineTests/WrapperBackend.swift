import Foundation
import TestSupport

/// A backend inside another plugin that fails or lies as `Plugins/wrapper.c` is told.
enum WrapperBackend {
  /// Compiles it with these macros into `folder`.
  ///
  /// - Parameter inner: The name of the backend inside.
  /// - Returns: The arguments that make `espalier` use it.
  static func build(
    _ macros: [String: String], around inner: String = TestBackend.name,
    in folder: TemporaryFolder
  ) throws -> [String] {
    let library =
      (Program.path as NSString).deletingLastPathComponent + "/libespalier-backend-\(inner).so"
    let name = "wrapper"
    let definitions = macros.merging(["NAME": "\"\(name)\"", "LIBRARY": "\"\(library)\""]) { $1 }
    let output = try CompiledPlugin.build(
      "wrapper", "backend-\(name)", definitions.map { "-D\($0)=\($1)" }, in: folder)
    return ["--plugin", output, "--backend", name]
  }
}
