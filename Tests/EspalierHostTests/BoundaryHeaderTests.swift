import Testing

@Suite("Boundary header") struct BoundaryHeaderTests {
  @Test(arguments: ["cc", "clang"])
  func `the header compiles alone as C11 without a warning`(compiler: String) throws {
    try expectCompiles(compiler, "c", standard: "c11")
  }

  @Test(arguments: ["c++", "clang++"])
  func `the header compiles alone as C++ without a warning`(compiler: String) throws {
    try expectCompiles(compiler, "c++", standard: "c++11")
  }

  /// A compiler other than `cc`, which all tests of plugins need, may be absent.
  private func expectCompiles(_ compiler: String, _ language: String, standard: String) throws {
    guard compiler == "cc" || Self.exists(compiler) else { return }
    let workshop = try Workshop()
    let source = try workshop.write("#include \"espalier_plugin.h\"\nint unused;\n", "alone.c")
    try Workshop.compile(
      [
        "-x", language, "-std=\(standard)", "-Wall", "-Wextra", "-Werror", "-pedantic",
        "-fsyntax-only", "-I", Workshop.headers, source,
      ], with: compiler)
  }

  private static func exists(_ program: String) -> Bool {
    (try? Workshop.run("/usr/bin/env", [program, "--version"]))?.status == 0
  }
}
