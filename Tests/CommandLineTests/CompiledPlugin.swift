import Foundation
import TestSupport
import Testing

/// A plugin in C of `Plugins/`, compiled against the boundary header alone.
enum CompiledPlugin {
  /// Compiles `Plugins/SOURCE.c` into a file of `folder`.
  ///
  /// - Parameters:
  ///   - source: The file without its ending.
  ///   - library: `backend-abacus`: the middle of the library's name.
  ///   - flags: For the compiler: `-DCRASHES`.
  /// - Returns: The path of the library.
  static func build(
    _ source: String, _ library: String, _ flags: [String] = [], in folder: TemporaryFolder
  ) throws -> String {
    let output = folder.file("libespalier-\(library).so")
    let tests = (#filePath as NSString).deletingLastPathComponent
    let compiler = try RunningProgram(
      "/usr/bin/env",
      [
        "cc", "-std=gnu11", "-shared", "-fPIC", "-O1", "-I",
        Fixtures.project + "/Sources/EspalierABI/include", "-o", output,
        tests + "/Plugins/\(source).c", "-ldl",
      ] + flags
    ).result()
    try #require(compiler.status == 0, Comment(rawValue: compiler.error))
    return output
  }
}
