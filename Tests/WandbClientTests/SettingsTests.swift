import EspalierPluginKit
import TestSupport
import Testing
import WandbClient

@Suite("W&B settings") struct SettingsTests {
  private func settings(
    _ options: String = "{}", _ environment: [String: String] = [:]
  ) throws -> WandbSettings {
    try WandbSettings(
      project: "of the host", name: nil, options: PluginSettings(json: options, owner: "wandb"),
      environment: Environment(environment))
  }

  @Test func `options win over the environment, the environment over the host`() throws {
    let variables = [
      "WANDB_PROJECT": "p", "WANDB_ENTITY": "e", "WANDB_NAME": "n", "WANDB_RUN_GROUP": "g",
      "WANDB_JOB_TYPE": "j", "WANDB_TAGS": " a, b,", "WANDB_NOTES": "o", "WANDB_RUN_ID": "r",
      "WANDB_RESUME": "must", "WANDB_BASE_URL": "http://h", "WANDB_DIR": "/d",
      "WANDB_MODE": "offline",
    ]
    let found = try settings("{}", variables)
    #expect(found.project == "p" && found.entity == "e" && found.name == "n")
    #expect(found.group == "g" && found.jobType == "j" && found.tags == ["a", "b"])
    #expect(found.notes == "o" && found.runID == "r" && found.resume == .must)
    #expect(found.baseURL == "http://h" && found.directory == "/d" && found.mode == .offline)
    let chosen = try settings(
      #"{"project": "q", "tags": "c", "mode": "online", "resume": "never", "entity": ""}"#,
      variables)
    #expect(chosen.project == "q" && chosen.tags == ["c"] && chosen.mode == .online)
    #expect(chosen.resume == .never && chosen.entity == "e")
    let plain = try settings()
    #expect(plain.project == "of the host" && plain.mode == .online && plain.tags == nil)
    #expect(plain.runID == nil && plain.resume == nil && plain.pace.interval == 15)
  }

  @Test(arguments: [
    ("run", WandbSettings.Mode.online), ("dryrun", .offline), ("disabled", .disabled),
  ])
  func `the official client's names of modes are taken`(
    name: String, mode: WandbSettings.Mode
  ) throws {
    #expect(try settings("{}", ["WANDB_MODE": name]).mode == mode)
    #expect(try settings("{}", ["WANDB_DISABLED": "true"]).mode == .disabled)
    #expect(try settings("{}", ["WANDB_RESUME": "auto"]).resume == .allow)
  }

  @Test(arguments: [
    (#"{"mode": "on"}"#, "online, offline or disabled"), (#"{"resume": "yes"}"#, "allow, must"),
    (#"{"run_id": "a/b"}"#, "'a/b'"), (#"{"run_id": " a"}"#, "white space"),
    (#"{"project": "a/b"}"#, "'a/b'"), (#"{"interval_seconds": 0}"#, "interval_seconds"),
    (#"{"finish_seconds": 60}"#, "from 0 to 25"),
    (#"{"tags": "\#(String(repeating: "x", count: 65))"}"#, "a tag"),
  ])
  func `what the protocol does not allow is refused by name`(options: String, part: String) throws {
    let failure = try #require(throws: PluginError.self) { try settings(options) }
    #expect(failure.message.contains(part), Comment(rawValue: failure.message))
  }

  @Test func `addresses become pages for people`() throws {
    let address = try ServerAddress(" https://api.wandb.ai/ ")
    #expect(address.base == "https://api.wandb.ai" && address.app == "https://wandb.ai")
    #expect(try ServerAddress("https://api.corp.example").app == "https://app.corp.example")
    #expect(try ServerAddress("http://127.0.0.1:8080").app == "http://127.0.0.1:8080")
    #expect(try ServerAddress("http://h", app: "https://w/").app == "https://w")
    for text in ["api.wandb.ai", "ftp://h", "https://", "https://me:pw@h"] {
      let failure = try #require(throws: PluginError.self) { try ServerAddress(text) }
      #expect(!failure.message.contains("pw"), Comment(rawValue: failure.message))
    }
  }

  @Test func `names become segments of addresses`() {
    #expect(pathSegment("my project é") == "my%20project%20%C3%A9")
    #expect(pathSegment("a-b_c.d~/") == "a-b_c.d~%2F")
  }
}
