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
    let output = folder.file("libespalier-backend-\(name).so")
    let tests = (#filePath as NSString).deletingLastPathComponent
    let definitions = macros.merging(["NAME": "\"\(name)\"", "LIBRARY": "\"\(library)\""]) { $1 }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      [
        "cc", "-std=gnu11", "-shared", "-fPIC", "-O1", "-I",
        Fixtures.project + "/Sources/EspalierABI/include", "-o", output,
        tests + "/Plugins/wrapper.c", "-ldl",
      ] + definitions.map { "-D\($0)=\($1)" }
    try process.run()
    process.waitUntilExit()
    if process.terminationStatus != 0 { throw CompilerError(status: process.terminationStatus) }
    return ["--plugin", output, "--backend", name]
  }

  private struct CompilerError: Error { let status: Int32 }
}
