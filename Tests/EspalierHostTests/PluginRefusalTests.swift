import EspalierABI
import EspalierHost
import Foundation
import Testing

/// Every way in which a plugin file can be wrong, beside a good one that must go on working.
@Suite("PluginRefusal") struct PluginRefusalTests {
  /// A wrong plugin: how it is built, and what the reason must say.
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let flags: [String]
    let reason: [String]

    init(_ description: String, _ flags: [String], _ reason: [String]) {
      testDescription = description
      self.flags = flags
      self.reason = reason
    }
  }

  static let cases = [
    Case(
      "newer major version", ["-DMAJOR=2"],
      ["boundary 2", "speaks 1", "rebuild the plugin or update espalier"]),
    Case("older major version", ["-DMAJOR=0"], ["boundary 0", "speaks 1", "rebuild the plugin"]),
    Case("needs a newer host", ["-DNEEDED_MINOR=7"], ["1.7", "update espalier"]),
    Case(
      "short function table",
      ["-DTABLE_BYTES=offsetof(esp_backend_api,graph_compile)"],
      ["esp_backend_api", "'graph_compile'", "ends before it"]),
    Case(
      "function table cut inside a field",
      ["-DTABLE_BYTES=(offsetof(esp_backend_api,device_wait)+4)"],
      ["esp_backend_api", "'device_wait'", "ends before it"]),
    Case("function table of no size", ["-DTABLE_BYTES=0"], ["esp_backend_api", "0 bytes"]),
    Case("null function", ["-DWITHOUT_ANALYZE"], ["'graph_analyze'", "null"]),
    Case(
      "short plugin struct", ["-DPLUGIN_BYTES=offsetof(esp_plugin,api)"],
      ["esp_plugin", "'api'", "ends before it"]),
    Case("plugin struct of no size", ["-DPLUGIN_BYTES=0"], ["esp_plugin", "0 bytes"]),
    Case("null name", ["-DWITHOUT_NAME"], ["esp_plugin", "'name'", "null"]),
    Case("no entry symbol", ["-DWITHOUT_ENTRY"], ["does not export", "espalier_plugin_entry"]),
    Case("entry fails", ["-DENTRY_FAILS"], ["no driver is installed", "code 13"]),
    Case("entry hands out nothing", ["-DENTRY_HANDS_OUT_NOTHING"], ["index 0", "no plugin"]),
    Case("offers none", ["-DOFFERS_NONE"], ["no plugin at all", "backend 'bad'"]),
    Case("same plugin again and again", ["-DNEVER_ENDS"], ["'bad'", "already offered"]),
    Case(
      "wrong kind", ["-DKIND=ESP_KIND_LOGGER"], ["offers logger 'bad'", "expected backend 'bad'"]),
    Case("unknown kind", ["-DKIND=77"], ["offers kind 77 'bad'", "expected backend 'bad'"]),
    Case(
      "wrong name", ["-UNAME", "-DNAME=\"other\""],
      ["offers backend 'other'", "expected backend 'bad'", "rename"]),
    Case("devices cannot be counted", ["-DCOUNT_FAILS"], ["count its devices", "bus is on fire"]),
    Case("alignment of no power of two", ["-DALIGNMENT=48"], ["alignment 48", "power of two"]),
  ]

  @Test(arguments: cases)
  func `a wrong plugin is refused with its reason and the good one works`(_ wrong: Case) throws {
    let workshop = try Workshop()
    try workshop.backend("good")
    try workshop.backend("bad", wrong.flags)
    try expectRefused(workshop, wrong.reason)
  }

  @Test func `a text file is refused with the loader's words`() throws {
    let workshop = try Workshop()
    try workshop.backend("good")
    try workshop.write(
      String(repeating: "not a library\n", count: 500), "libespalier-backend-bad.so")
    try expectRefused(workshop, ["cannot load it", "invalid ELF header"])
  }

  @Test func `an empty file is refused with the loader's words`() throws {
    let workshop = try Workshop()
    try workshop.backend("good")
    try workshop.write("", "libespalier-backend-bad.so")
    try expectRefused(workshop, ["cannot load it", "too short"])
  }

  @Test func `a missing shared library is named`() throws {
    let workshop = try Workshop()
    try workshop.backend("good")
    let library = try workshop.build("dependency", "libgone.so")
    try workshop.backend("bad", ["-DNEEDS_LIBRARY", "-L\(workshop.folder)", "-lgone"])
    try FileManager.default.removeItem(atPath: library)
    try expectRefused(workshop, ["cannot load it", "libgone.so"])
  }

  @Test func `an entry symbol of a dependency does not count`() throws {
    let workshop = try Workshop()
    try workshop.backend("good")
    try workshop.build("dependency", "libother.so", ["-DENTRY"])
    try workshop.backend(
      "bad",
      [
        "-DWITHOUT_ENTRY", "-L\(workshop.folder)", "-Wl,--no-as-needed", "-lother",
        "-Wl,-rpath,\(workshop.folder)",
      ])
    try expectRefused(workshop, ["libother.so", "must define its own"])
  }

  @Test func `a dangling link is refused`() throws {
    let workshop = try Workshop()
    try workshop.backend("good")
    try FileManager.default.createSymbolicLink(
      atPath: workshop.folder + "/libespalier-backend-bad.so",
      withDestinationPath: "/nowhere/libespalier-backend-bad.so")
    try expectRefused(workshop, ["no such file"])
  }

  @Test func `a table without the optional functions is taken and they read as absent`() throws {
    let workshop = try Workshop()
    try workshop.backend(
      "small", ["-DTABLE_BYTES=offsetof(esp_backend_api,buffer_import)"])
    try workshop.backend("good")
    let registry = try workshop.registry()
    let small = try registry.backend(named: "small").backend
    #expect(small.api.pointee.buffer_import == nil)
    #expect(small.api.pointee.device_memory == nil)
    let good = try registry.backend(named: "good").backend
    #expect(good.api.pointee.buffer_import != nil)
    #expect(good.api.pointee.device_memory != nil)
  }

  @Test func `a failing device_open carries code, native code and the plugin's words`() throws {
    let workshop = try Workshop()
    try workshop.backend("good")
    let backend = try workshop.registry().backend(named: "good:0").backend
    let failure = CallFailure(
      code: .outOfMemory, nativeCode: -4, message: "the device has 12 MB, 40 MB are needed")
    #expect(
      throws: BackendError.failed(backend: "good", operation: "open device 0", failure)
    ) {
      var device: OpaquePointer?
      try backend.call("open device 0") { error in
        backend.api.pointee.device_open(0, nil, 0, &device, error)
      }
    }
    let text = "\(BackendError.failed(backend: "good", operation: "open device 0", failure))"
    #expect(
      text.hasPrefix(
        "backend 'good': cannot open device 0: the device has 12 MB, 40 MB are needed "
          + "(out of memory, code -4); use a smaller batch"))
  }

  /// Expects one clear reason for `bad`, also when it is asked for by name or given as a file.
  private func expectRefused(
    _ workshop: Workshop, _ fragments: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let registry = try workshop.registry()
    let inventory = registry.inventory()
    #expect(inventory.usable == ["good"], sourceLocation: sourceLocation)
    let reason = try #require(inventory.refusal("bad"), sourceLocation: sourceLocation)
    for fragment in fragments {
      #expect(reason.contains(fragment), sourceLocation: sourceLocation)
    }
    #expect(!reason.contains("\n"), sourceLocation: sourceLocation)
    #expect(throws: (any Error).self, sourceLocation: sourceLocation) {
      try registry.backend(named: "bad")
    }
    let good = try registry.backend(named: "good").backend
    #expect(good.version == "1.2.3", sourceLocation: sourceLocation)
    #expect(good.devices.count == 3, sourceLocation: sourceLocation)
  }
}
