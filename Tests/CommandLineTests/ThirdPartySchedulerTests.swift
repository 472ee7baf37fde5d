import EspalierCheckpoints
import EspalierImages
import Foundation
import TestSupport
import Testing

/// A scheduler in C that knows the boundary header alone, sound and broken, in the real program.
@Suite("A third party's scheduler") struct ThirdPartySchedulerTests {
  private let folder: TemporaryFolder

  init() throws { folder = try temporaryFolder() }

  private func build(_ flags: [String] = []) throws -> String {
    try CompiledPlugin.build("third_party_scheduler", "scheduler-third", flags, in: folder)
  }

  private func generate(_ library: String, _ more: [String] = []) throws -> Program.Result {
    try Program.run(
      [
        "generate", "--plugin", library, "--scheduler", "third", "--pretrained_model_name_or_path",
        Fixtures.path("tiny-sdxl"), "--prompt", "red", "--height", "64", "--width", "64", "--seed",
        "1", "--num_inference_steps", "2", "--backend", TestBackend.current, "--output",
        folder.file("a.png"),
      ] + more)
  }

  @Test func `it works with --plugin and stands in the list`() throws {
    let library = try build()
    let result = try generate(library, ["--scheduler_option", "shrink=0.5"])
    #expect(result.status == 0, Comment(rawValue: result.error))
    let text = try #require(try Image.text(contentsOf: folder.file("a.png"))["parameters"])
    let parameters = try JSONValue(parsing: text.utf8)
    #expect(parameters["scheduler"]?.string == "ThirdPartyScheduler")
    #expect(parameters["scheduler_options"]?["shrink"]?.string == "0.5")
    let list = try Program.run(["plugins", "--plugin", library])
    #expect(list.status == 0)
    #expect(list.output.contains("ThirdPartyScheduler: third\n"))
    #expect(list.output.contains(library))
    let details = try Program.run(["plugins", "third", "--plugin", library])
    #expect(details.status == 0)
    for part in ["scheduler third", library, "version  3.0", "--scheduler_option KEY=VALUE"] {
      #expect(details.output.contains(part), Comment(rawValue: details.output))
    }
    #expect(details.output.contains(#/shrink +number +0\.9 +What is left of a sample/#))
  }

  @Test(arguments: [
    ("RETURNS_NAN", "returned nan at element"),
    ("CALLS=0", "plans 0 model calls for 2 steps, expected 2 to 64"),
    ("CALLS=1", "plans 1 model calls for 2 steps, expected 2 to 64"),
    ("CALLS=4000000000u", "plans 4000000000 model calls for 2 steps, expected 2 to 64"),
    ("CALLS=s->steps+1", "cannot take the step of model call 2: there is no such call"),
    ("STEP_FAILS", "model call 0: 12 MB are there, 40 MB are needed (out of memory)"),
    ("STEP_FAILS_WITHOUT_WORDS", "cannot take the step of model call 0: internal error"),
    ("CREATE_FAILS", "cannot be created: shrink is 7; allowed: a number below 1"),
    ("CREATES_NOTHING", "reported success but made no scheduler"),
  ])
  func `a fault ends the run with one line that names it`(flag: String, reason: String) throws {
    let result = try generate(try build(["-D" + flag]))
    #expect(result.status == 1 && !result.isKilled, Comment(rawValue: result.error))
    let errors = result.error.split(separator: "\n").filter { $0.hasPrefix("error: ") }
    #expect(errors.count == 1, Comment(rawValue: result.error))
    let error = try #require(errors.first)
    #expect(error.contains("scheduler 'ThirdPartyScheduler'"), Comment(rawValue: result.error))
    #expect(error.contains(reason), Comment(rawValue: result.error))
    #expect(!FileManager.default.fileExists(atPath: folder.file("a.png")))
  }

  @Test(arguments: [
    ("CLASS_NAME=NULL", "esp_scheduler_class lacks the required 'class_name' (it is null)"),
    ("OPTION_TYPE=ESP_OPTION_INT", "the default '0.9', which is not a whole number"),
    ("OPTION_TYPE=99", "gives its option 'shrink' the unknown type 99"),
  ])
  func `a wrong table is refused before anything runs`(flag: String, reason: String) throws {
    let library = try build(["-D" + flag])
    let result = try generate(library)
    #expect(result.status == 1 && !result.isKilled)
    #expect(result.error.hasPrefix("error: cannot use the plugin \(library): "))
    #expect(result.error.contains(reason), Comment(rawValue: result.error))
    // In a folder it is passed over, and the list says why.
    let list = try Program.run(["plugins", "--plugin-dir", folder.path])
    #expect(list.status == 0)
    #expect(list.output.contains("refused   \(library)") && list.output.contains(reason))
  }

  @Test func `one that sleeps forever when it is shut down does not keep the program`() throws {
    let library = try build(["-DSLEEPS_ON_SHUTDOWN"])
    let clock = ContinuousClock()
    var result: Program.Result?
    let time = try clock.measure { result = try Program.run(["plugins", "--plugin", library]) }
    let ended = try #require(result)
    #expect(ended.status == 0 && !ended.isKilled)
    #expect(
      ended.error.contains(
        "warning: the scheduler 'third' did not end within 5.0 s and is left to itself"),
      Comment(rawValue: ended.error))
    #expect(ended.error.contains(library))
    #expect(time > .seconds(4) && time < .seconds(60))
  }
}
