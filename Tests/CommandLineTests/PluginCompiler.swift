import Foundation
import TestSupport

/// Compiles small plugins of `Plugins/` with the system's C compiler.
enum PluginCompiler {
  /// Compiles `Plugins/SOURCE.c` with these macros into `libespalier-KIND-NAME.so`.
  ///
  /// - Parameter file: `backend-wrapper`: the middle of the library's name.
  /// - Returns: The library's path.
  static func build(
    _ source: String, _ file: String, macros: [String: String] = [:], in folder: TemporaryFolder
  ) throws -> String {
    let output = folder.file("libespalier-\(file).so")
    let compiler = try RunningProgram(
      "/usr/bin/env",
      [
        "cc", "-std=gnu11", "-shared", "-fPIC", "-O1", "-I",
        Fixtures.project + "/Sources/EspalierABI/include", "-o", output,
        (#filePath as NSString).deletingLastPathComponent + "/Plugins/\(source).c", "-ldl",
      ] + macros.map { $1.isEmpty ? "-D\($0)" : "-D\($0)=\($1)" })
    let result = try compiler.result()
    if result.status != 0 { throw CompilerError(output: result.error) }
    return output
  }

  struct CompilerError: Error { let output: String }
}
