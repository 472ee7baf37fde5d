import EspalierCheckpoints
import EspalierImages
import EspalierTensors
import Foundation
import TestSupport
import Testing

/// Every template, written out, built and used by the commands of its README.
@Suite("Plugin templates") struct PluginTemplateTests {
  private let folder: TemporaryFolder

  init() throws { folder = try temporaryFolder() }

  /// Writes a template out.
  ///
  /// - Returns: Its folder.
  private func new(_ kind: String, _ name: String, _ language: String) throws -> String {
    let output = folder.file("plugins of mine/\(name)")
    let result = try Program.run(
      ["new-plugin", kind, name, "--language", language, "--output", output])
    try #require(result.status == 0, Comment(rawValue: result.error))
    for path in result.output.split(separator: "\n").map(String.init) {
      #expect(path.hasPrefix(output + "/"))
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let isHeader = path.hasSuffix("/espalier_plugin.h")
      #expect(
        isHeader || !(path + text).lowercased().contains("example"), Comment(rawValue: path))
      if isHeader {
        let header = Fixtures.project + "/Sources/EspalierABI/include/espalier_plugin.h"
        #expect(try text == String(contentsOfFile: header, encoding: .utf8))
      }
    }
    return output
  }

  /// Runs the commands of the README's shell block with this index, as somebody would who reads it.
  private func run(
    block index: Int, of plugin: String, _ variables: [String: String] = [:]
  ) throws -> Program.Result {
    let readme = try String(contentsOfFile: plugin + "/README.md", encoding: .utf8)
    let blocks = readme.components(separatedBy: "```sh\n").dropFirst()
      .compactMap { $0.components(separatedBy: "```").first }
    let script = try #require(blocks.indices.contains(index) ? blocks[index] : nil)
    let bin = (Program.path as NSString).deletingLastPathComponent
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    return try RunningProgram(
      "/usr/bin/env",
      ["PATH=\(bin):\(path)"] + variables.map { "\($0)=\($1)" } + ["bash", "-e", "-c", script],
      in: plugin
    ).result()
  }

  private let generation = [
    "MODEL": Fixtures.path("tiny-sdxl"),
    "FLAGS": "--height 64 --width 64 --num_inference_steps 3 --seed 1 --backend "
      + TestBackend.current,
  ]

  @Test func `a scheduler in C and one in Swift build and generate the same picture`() throws {
    let c = try new("scheduler", "mine", "c")
    let swift = try new("scheduler", "my-own", "swift")
    var pictures: [Image] = []
    for (plugin, name, className) in [
      (c, "mine", "MineScheduler"), (swift, "my-own", "MyOwnScheduler"),
    ] {
      let build = try run(block: 0, of: plugin)
      try #require(build.status == 0, Comment(rawValue: build.output + build.error))
      let use = try run(block: 1, of: plugin, generation)
      #expect(use.status == 0, Comment(rawValue: use.error))
      #expect(use.output.contains("\(name): \(className)"))
      #expect(use.output.contains(#/steps_offset +int +1 +Added/#), Comment(rawValue: use.output))
      let picture = plugin + "/\(name).png"
      let text = try #require(try Image.text(contentsOf: picture)["parameters"])
      let parameters = try JSONValue(parsing: text.utf8)
      #expect(parameters["scheduler"]?.string == className)
      #expect(parameters["scheduler_options"]?["steps_offset"]?.string == "0")
      pictures.append(try Image(contentsOf: picture))
    }
    expectClose(
      pictures[0].bytes.map { Float($0) }, pictures[1].bytes.map { Float($0) }, absolute: 1)
  }

  @Test func `a logger in C++ builds, logs a training, and goes on where it is resumed`() throws {
    let logger = try new("logger", "lines", "c++")
    let build = try run(block: 0, of: logger)
    try #require(build.status == 0, Comment(rawValue: build.error))
    #expect(build.error.isEmpty)
    let training = try TrainingFolder()
    func train(_ steps: Int, _ more: [String]) throws -> Program.Result {
      let arguments = training.arguments(
        "out", steps: steps,
        [
          "--checkpointing_steps", "2", "--validation_prompt", "red", "--validation_image",
          training.data("c0.png"), "--num_validation_images", "1", "--validation_steps", "2",
        ] + more)
      // The README names the logger.
      let flags = arguments.dropFirst().filter { $0 != "--report_to" && $0 != "csv" }
      return try run(block: 1, of: logger, ["FLAGS": flags.joined(separator: " ")])
    }
    let first = try train(3, [])
    #expect(first.status == 0, Comment(rawValue: first.error))
    #expect(first.output.contains(#/file +string +lines\.tsv +/#), Comment(rawValue: first.output))
    let second = try train(4, ["--resume_from_checkpoint", "latest"])
    #expect(second.status == 0, Comment(rawValue: second.error))
    #expect(!(first.error + second.error).contains("warning"), Comment(rawValue: second.error))
    let lines = try String(contentsOfFile: training.file("out/logs/run.tsv"), encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: "\t") }
    let losses = lines.filter { $0.count == 3 && $0[1].contains("loss") }
    #expect(losses.map { $0[0] } == ["1", "2", "3", "4"], Comment(rawValue: "\(lines)"))
    #expect(losses.allSatisfy { Double($0[2]).map { $0 > 0 } == true })
    let pictures = try FileManager.default.contentsOfDirectory(
      atPath: training.file("out/logs")
    ).filter { $0.hasSuffix(".ppm") }
    let picture = try #require(pictures.first)
    let bytes = try Data(
      contentsOf: URL(fileURLWithPath: training.file("out/logs/" + picture)))
    #expect(bytes.starts(with: Data("P6 64 64 255\n".utf8)))
    #expect(bytes.count == "P6 64 64 255\n".utf8.count + 3 * 64 * 64)
  }

  @Test func `a backend in C passes what it offers, and a model names what it lacks`() throws {
    let backend = try new("backend", "small", "c")
    let build = try run(block: 0, of: backend)
    try #require(build.status == 0, Comment(rawValue: build.error))
    #expect(build.error.isEmpty)
    let use = try run(block: 1, of: backend)
    #expect(use.status == 0, Comment(rawValue: use.output + use.error))
    for operation in ["add", "scale", "unary"] {
      #expect(
        use.output.contains(try Regex("\(operation) +\\d+/\\d+ ")), Comment(rawValue: use.output))
    }
    #expect(use.output.contains(" 0 failed,"), Comment(rawValue: use.output))
    let model = try run(
      block: 2, of: backend,
      generation.merging(["FLAGS": "--height 64 --width 64 --num_inference_steps 1 --seed 1"]) {
        $1
      })
    #expect(model.status == 1)
    #expect(
      model.error.contains("the backend of small CPU cannot run"), Comment(rawValue: model.error))
    #expect(model.error.contains("embedding in text_encoder."), Comment(rawValue: model.error))
    let misused = try Program.run(
      [
        "conformance", backend + "/libespalier-backend-small.so", "--op", "add", "--backend_option",
        "threads=many",
      ])
    #expect(misused.status == 2)
    #expect(misused.error.contains("expected one of host, none"))
  }

  @Test func `nothing is overwritten and nothing is left half written`() throws {
    let output = try new("scheduler", "mine", "c")
    let source = output + "/mine.c"
    try AtomicFile.write("changed", to: source)
    try FileManager.default.removeItem(atPath: output + "/README.md")
    let again = try Program.run(
      ["new-plugin", "scheduler", "mine", "--language", "c", "--output", output])
    #expect(again.status == 1)
    #expect(again.error.contains("is there already; nothing was written"))
    #expect(try String(contentsOfFile: source, encoding: .utf8) == "changed")
    #expect(!FileManager.default.fileExists(atPath: output + "/README.md"))
  }

  @Test(arguments: [
    (["scheduler", "Mine"], "the name is 'Mine'"), (["scheduler", "1st"], "the name is '1st'"),
    (["scheduler", "a/b"], "the name is 'a/b'"), (["backend", "auto"], "means something else"),
    (["logger", "mine", "--language", "c"], "there is one in c++"),
    (["communicator", "mine"], "communicator"),
    (["scheduler", "mine", "--espalier", "/nowhere"], "expected Espalier's folder"),
  ])
  func `a wrong command line exits with 2 and says why`(arguments: [String], reason: String) throws
  {
    let result = try Program.run(["new-plugin"] + arguments, in: folder.path)
    #expect(result.status == 2, Comment(rawValue: result.error))
    #expect(result.error.contains(reason), Comment(rawValue: result.error))
    #expect(try folder.contents().isEmpty)
  }

  @Test func `an installed program writes C and asks for the sources that Swift needs`() throws {
    let program = folder.file("espalier")
    try FileManager.default.copyItem(atPath: Program.path, toPath: program)
    let c = try RunningProgram(program, ["new-plugin", "backend", "mine"], in: folder.path).result()
    #expect(c.status == 0, Comment(rawValue: c.error))
    #expect(c.output == "mine/espalier_plugin.h\nmine/README.md\nmine/mine.c\n")
    let swift = try RunningProgram(program, ["new-plugin", "scheduler", "own"], in: folder.path)
      .result()
    #expect(swift.status == 2, Comment(rawValue: swift.error))
    #expect(swift.error.contains("say with --espalier where they are"))
    let told = try RunningProgram(
      program, ["new-plugin", "scheduler", "own", "--espalier", Fixtures.project], in: folder.path
    ).result()
    #expect(told.status == 0, Comment(rawValue: told.error))
    let manifest = try String(contentsOfFile: folder.file("own/Package.swift"), encoding: .utf8)
    #expect(manifest.contains("path: \"\(Fixtures.project)\""))
  }
}
