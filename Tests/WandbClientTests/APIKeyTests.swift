import EspalierPluginKit
import Foundation
import TestSupport
import Testing
import WandbClient

@Suite("W&B keys") struct APIKeyTests {
  private let key = MockWandbServer.key

  private func find(_ environment: [String: String], _ base: String = "http://h:8") throws -> APIKey
  {
    try APIKey.find(for: ServerAddress(base), Environment(environment))
  }

  @Test func `keys have 40 characters, behind a prefix or not, or are web tokens`() {
    let letters = String(repeating: "aZ9_", count: 10)
    #expect(APIKey(letters) != nil && APIKey("local-" + letters) != nil)
    #expect(APIKey("aaa.b-b.c_c") != nil)
    for wrong in [
      "", "short", "local-" + letters.dropLast(), letters + " ", letters + "é", "a.b", "a..c",
    ] {
      #expect(APIKey(wrong) == nil, Comment(rawValue: wrong))
    }
  }

  @Test func `a key does not show itself`() throws {
    let key = try #require(APIKey(key))
    var dumped = ""
    dump(key, to: &dumped)
    for text in ["\(key)", String(describing: key), String(reflecting: key), dumped] {
      #expect(!text.contains(self.key), Comment(rawValue: text))
    }
  }

  @Test func `netrc has the key by host and port`() throws {
    let folder = try temporaryFolder()
    let file = folder.file("netrc")
    try """
    # machine h:8 password commented
    default login me password other
    machine other login me password wrong
    macdef init
    machine h:8 password in-a-macro

    machine h:8
      login user
      password \(key)
    """.write(toFile: file, atomically: true, encoding: .utf8)
    _ = try find(["NETRC": file])
    #expect(throws: PluginError.self) { try find(["NETRC": file], "http://h") }
    try FileManager.default.copyItem(atPath: file, toPath: folder.file("_netrc"))
    _ = try find(["HOME": folder.path])
    // The variable comes first.
    let failure = try #require(throws: PluginError.self) {
      try find(["NETRC": file, "WANDB_API_KEY": "secret"])
    }
    #expect(failure.message.contains("WANDB_API_KEY") && !failure.message.contains("secret"))
  }

  @Test func `without a key the message says where it may stand`() throws {
    let failure = try #require(throws: PluginError.self) { try find(["HOME": "/nowhere"]) }
    for part in ["WANDB_API_KEY", "netrc", "machine h:8", "offline"] {
      #expect(failure.message.contains(part), Comment(rawValue: failure.message))
    }
  }
}
