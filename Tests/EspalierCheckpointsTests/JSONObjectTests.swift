import EspalierCheckpoints
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("JSONObject") struct JSONObjectTests {
  private func object(_ text: String) throws -> JSONObject {
    let folder = try temporaryFolder()
    try AtomicFile.write(text, to: folder.file("config.json"))
    return try JSONObject(contentsOf: folder.file("config.json"))
  }

  @Test func `reads a Diffusers configuration`() throws {
    let config = try JSONObject(contentsOf: Fixtures.path("tiny-sdxl/unet/config.json"))
    #expect(config.className == "UNet2DConditionModel")
    #expect(try config.ints("block_out_channels").count == config.strings("down_block_types").count)
    #expect(try config.int("in_channels") == 4)
    #expect(try config.optionalInt("attention_type_that_is_not_there") == nil)
    let text = try JSONObject(contentsOf: Fixtures.path("tiny-sdxl/text_encoder/config.json"))
    #expect(text.className?.hasPrefix("CLIPTextModel") == true)
  }

  @Test func `reads numbers, escapes and Python's infinities`() throws {
    let config = try object(
      #"{"a":1e-5,"b":-Infinity,"c":NaN,"d":[1,2.0],"e":"\u00e9\ud83d\ude00\n","f":null,"g":2.5,"h":{"i":true}}"#
    )
    #expect(try config.double("a") == 1e-5 && config.double("b") == -.infinity)
    #expect(try config.double("c").isNaN && config.ints("d") == [1, 2])
    #expect(try config.string("e") == "é\u{1F600}\n")
    #expect(!config.has("f") && config.has("a") && config.value("f") == nil)
    #expect(try config.object("h").bool("i"))
    #expect(try config.ints("d", count: 2) == [1, 2])
    #expect(throws: CheckpointError.self) { try config.ints("d", count: 3) }
    #expect(throws: CheckpointError.self) { try config.int("g") }
  }

  @Test func `one number stands for all blocks`() throws {
    #expect(try object(#"{"n":2}"#).ints("n", count: 3) == [2, 2, 2])
  }

  @Test func `errors name file, key, expected and found`() throws {
    let config = JSONObject(
      [JSONMember(key: "in_channels", value: .string("four"))], path: "config.json")
    #expect(
      throws: CheckpointError.configuration(
        path: "config.json", key: "in_channels", expected: "a whole number", found: "\"four\"")
    ) { try config.int("in_channels") }
    #expect(
      throws: CheckpointError.configuration(
        path: "config.json", key: "gone", expected: "a number", found: "nothing")
    ) { try config.double("gone") }
  }

  @Test(arguments: [
    "", "{", "[1]", "{\"a\":}", "{\"a\":1,}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":+1}",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}", "{\"a\":\"\t\"}", "{\"a\":1}{", "{a:1}",
    "{\"a\":tru}",
    "{\"a\":1,\"a\":2}", "{\"a\":\"\\u12\"}", "{\"a\":\"\\u+123\"}",
  ]) func `bad JSON is refused`(text: String) {
    #expect(throws: CheckpointError.self, "\(text)") { try object(text) }
  }

  @Test(arguments: [
    "tiny-sdxl/unet/config.json", "tiny-sdxl/vae/config.json", "adapter_xl/config.json",
    "tiny-sdxl/model_index.json", "tiny-sdxl/scheduler/scheduler_config.json",
  ]) func `writes configurations as Diffusers does`(file: String) throws {
    let folder = try temporaryFolder()
    try Fixtures.json(file).write(to: folder.file("config.json"))
    let written = try String(contentsOfFile: folder.file("config.json"), encoding: .utf8)
    #expect(try written == String(contentsOfFile: Fixtures.path(file), encoding: .utf8))
  }

  @Test func `numbers are written in Python's spelling`() throws {
    let folder = try temporaryFolder()
    let value = JSONValue.object([
      "b": .number(1e-5), "a": .number(0.5), "c": .number(3), "d": .array([]), "e": .object([:]),
      "f": .number(-Double.infinity), "g": .string("ü\"\\\u{7F}\u{1F600}"), "h": .number(1.0),
    ])
    try value.write(to: folder.file("a.json"))
    #expect(
      try String(contentsOfFile: folder.file("a.json"), encoding: .utf8) == #"""
        {
          "a": 0.5,
          "b": 1e-05,
          "c": 3,
          "d": [],
          "e": {},
          "f": -Infinity,
          "g": "\u00fc\"\\\u007f\ud83d\ude00",
          "h": 1.0
        }

        """#)
  }
}
