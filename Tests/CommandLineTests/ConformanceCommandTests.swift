import Foundation
import TestSupport
import Testing

@Suite("espalier conformance") struct ConformanceCommandTests {
  private struct Report: Decodable {
    struct Subject: Decodable { let backend, device: String }
    struct Operation: Decodable {
      struct Speed: Decodable { let value: Double, unit: String }
      let operation: String
      let passed, failed, notOffered: Int
      let worstError, ofAllowed: Double
      let speed: Speed?
    }
    struct Result: Decodable { let operation, label, status: String, faults: [String] }
    let subject: Subject
    let operations: [Operation]
    let results: [Result]
  }

  /// The backend `blas` beside the program.
  private var blas: String {
    URL(fileURLWithPath: Program.path).deletingLastPathComponent()
      .appendingPathComponent("libespalier-backend-blas.so").path
  }

  /// Compiles a backend that only scales; the flag makes it wrong.
  private func abacus(_ flag: String, in folder: TemporaryFolder) throws -> String {
    try CompiledPlugin.build("scale_backend", "backend-abacus", ["-D\(flag)"], in: folder)
  }

  @Test func `blas passes, and the table and the JSON file say how well and how fast`() throws {
    let folder = try temporaryFolder()
    let names = ["linear", "attention_backward", "adamw"]
    let result = try Program.run(
      ["conformance", blas + ":0", "--json", folder.file("report.json")]
        + names.flatMap { ["--op", $0] })
    #expect(result.status == 0, Comment(rawValue: result.output + result.error))
    let report = try JSONDecoder().decode(
      Report.self, from: Data(contentsOf: URL(fileURLWithPath: folder.file("report.json"))))
    #expect(report.subject.backend == "blas")
    #expect(Set(report.operations.map(\.operation)) == Set(names))
    for operation in report.operations {
      #expect(operation.passed > 3 && operation.failed == 0 && operation.notOffered == 0)
      #expect(operation.worstError > 0 && operation.ofAllowed <= 1)
      #expect(try #require(operation.speed).value > 0)
      #expect(result.output.contains("\(operation.passed)/\(operation.passed)"))
    }
    #expect(report.operations.first { $0.operation == "adamw" }?.speed?.unit == "GB/s")
    #expect(report.operations.first { $0.operation == "linear" }?.speed?.unit == "GFLOP/s")
    #expect(report.results.allSatisfy { $0.status == "passed" && $0.faults.isEmpty })
  }

  @Test func `what a backend lacks is no failure, but has an exit code of its own`() throws {
    let folder = try temporaryFolder()
    let library = try abacus("SOUND", in: folder)
    let scale = try Program.run(["conformance", library + ":aBac", "--op", "scale"])
    #expect(scale.status == 0, Comment(rawValue: scale.output + scale.error))
    let result = try Program.run(["conformance", library, "--op", "scale", "--op", "geglu"])
    #expect(result.status == 3, Comment(rawValue: result.output + result.error))
    #expect(result.output.contains("not offered"))
    #expect(result.output.contains("3 passed, 0 failed, 4 not offered"))
  }

  @Test(arguments: [
    ("OFF_BY=0.01f", "elements are off; the worst: element 8191 is"),
    ("LEAVES_THE_LAST", "element 16381 is NaN (never written?)"),
    ("WRITES_BESIDE", "wrote beside output 0"),
    ("SPOILS_ITS_INPUT", "wrote into input 0"),
    ("DRIFTS", "a second run on the same inputs gives other bits"),
    ("HUGE_WORKSPACE", "node_workspace is 18446744073709551615, more than"),
    ("NO_EXECUTABLE", "graph_compile reported success but handed out no executable"),
  ])
  func `a wrong backend fails, and is told what is wrong`(flag: String, reason: String) throws {
    let folder = try temporaryFolder()
    let library = try abacus(flag, in: folder)
    let result = try Program.run(["conformance", library, "--op", "scale"])
    #expect(result.status == 1, Comment(rawValue: result.output + result.error))
    #expect(result.output.contains("failed: [2, 8191], f32"))
    #expect(result.output.contains(reason), Comment(rawValue: result.output))
  }

  @Test(arguments: [
    ("CRASHES", "the plugin ended the program by signal 6"),
    ("HANGS", "the plugin did not answer within 2 s"),
  ])
  func `a crash or hang fails its case only`(flag: String, reason: String) throws {
    let folder = try temporaryFolder()
    let library = try abacus(flag, in: folder)
    let result = try Program.run(
      ["conformance", library, "--op", "scale", "--op", "concat", "--timeout", "2"])
    #expect(result.status == 1, Comment(rawValue: result.output + result.error))
    #expect(result.output.contains(reason), Comment(rawValue: result.output))
    #expect(result.output.contains("2 passed, 1 failed, 3 not offered"))
  }

  @Test func `a plugin that cannot be opened is one error line`() throws {
    let folder = try temporaryFolder()
    let library = try abacus("CRASHES_AT_START", in: folder)
    for (target, reason) in [
      (library, "signal 6"), (library + "x", "rename it"),
      (blas.replacingOccurrences(of: "backend-blas", with: "scheduler-standard"), "a scheduler"),
      (blas + ":9", "no device '9'"),
    ] {
      let result = try Program.run(["conformance", target, "--op", "scale"])
      #expect(result.status == 1)
      #expect(result.output.isEmpty, Comment(rawValue: result.output))
      let errors = result.error.split(separator: "\n").filter { $0.hasPrefix("error: ") }
      #expect(errors.count == 1 && errors[0].contains(reason), Comment(rawValue: result.error))
    }
  }

  @Test(arguments: [["--op", "matmul"], ["--shapes", "huge"], ["--timeout", "0"]])
  func `a wrong option exits with 2 and names what is expected`(arguments: [String]) throws {
    let result = try Program.run(["conformance", blas] + arguments)
    #expect(result.status == 2)
    #expect(result.error.contains(arguments[0].dropFirst(2)))
    #expect(result.output.isEmpty)
  }
}
