import EspalierHost
import Foundation
import Testing

@Suite("Plugin search") struct PluginSearchTests {
  @Test func `the folders come in the documented order`() {
    let environment = [
      "ESPALIER_PLUGIN_PATH": "/e1:/e2", "XDG_DATA_HOME": "/data", "HOME": "/home/x",
    ]
    let path = PluginSearchPath(
      pluginDirectories: ["d1", "/d2"], environment: { environment[$0] },
      executable: "/opt/espalier/bin/espalier")
    #expect(
      path.folders.map(\.path) == [
        "d1", "/d2", "/e1", "/e2", "/data/espalier/plugins",
        "/opt/espalier/bin/../lib/espalier/plugins", "/opt/espalier/bin",
      ])
    #expect(
      path.folders.map(\.origin) == [
        .option, .option, .environment, .environment, .userData, .installation, .build,
      ])
  }

  @Test func `without XDG_DATA_HOME the user's data lie in the home folder`() {
    for data in [nil, "", "relative"] as [String?] {
      let path = PluginSearchPath(
        environment: { ["HOME": "/home/x", "XDG_DATA_HOME": data][$0] ?? nil }, executable: nil)
      #expect(path.folders.map(\.path) == ["/home/x/.local/share/espalier/plugins"])
    }
  }

  @Test func `empty and relative entries of the environment are ignored`() {
    let path = PluginSearchPath(
      environment: { $0 == "ESPALIER_PLUGIN_PATH" ? ":.:/e1::plugins:" : nil }, executable: nil)
    #expect(path.folders.map(\.path) == ["/e1"])
    #expect(path.ignoredEntries == [".", "plugins"])
  }

  @Test func `the first plugin of a name wins and the second is reported`() throws {
    let workshop = try Workshop()
    let first = try workshop.backend("same", in: "first", ["-DDEVICES=1"])
    try workshop.backend("same", in: "second", ["-DDEVICES=2"])
    try workshop.backend("alone", in: "second")
    let registry = try workshop.registry(["first", "second"])
    #expect(try registry.backend(named: "same").backend.devices.count == 1)
    let inventory = registry.inventory()
    #expect(inventory.usable == ["same", "alone"])
    let shadowed = inventory.entries.compactMap { entry -> [String]? in
      if case .shadowed(let winner) = entry.outcome { [entry.file, winner] } else { nil }
    }
    #expect(shadowed.map { $0[0] } == [workshop.folder + "/second/libespalier-backend-same.so"])
    #expect(shadowed.map { $0[1] } == [first])
    let reversed = try workshop.registry(["second", "first"])
    #expect(try reversed.backend(named: "same").backend.devices.count == 2)
  }

  @Test func `a wrong plugin is not replaced by one that it shadows`() throws {
    let workshop = try Workshop()
    let file = try workshop.backend("same", in: "first", ["-DMAJOR=2"])
    try workshop.backend("same", in: "second")
    let registry = try workshop.registry(["first", "second"])
    #expect(throws: PluginError.refused(file: file, .majorVersion(found: 2, expected: 1))) {
      try registry.backend(named: "same")
    }
  }

  @Test func `a plugin given as a file comes before all folders`() throws {
    let workshop = try Workshop()
    try workshop.backend("same", in: "first", ["-DDEVICES=1"])
    let file = try workshop.backend("same", in: "elsewhere", ["-DDEVICES=2"])
    let registry = try workshop.registry(["first"], files: [file])
    #expect(try registry.backend(named: "same").backend.file == file)
  }

  @Test func `a plugin given as a file must be usable`() throws {
    let workshop = try Workshop()
    let old = try workshop.backend("old", ["-DMAJOR=2"])
    #expect(throws: PluginError.refused(file: old, .majorVersion(found: 2, expected: 1))) {
      try workshop.registry(files: [old])
    }
    let misnamed = try workshop.build("backend", "backend.so")
    #expect(throws: PluginError.refused(file: misnamed, .fileName)) {
      try workshop.registry(files: [misnamed])
    }
    let absent = workshop.folder + "/libespalier-backend-absent.so"
    #expect(throws: PluginError.refused(file: absent, .missingFile)) {
      try workshop.registry(files: [absent])
    }
  }

  @Test func `two files of one kind and name are refused`() throws {
    let workshop = try Workshop()
    let first = try workshop.backend("same", in: "first")
    let second = try workshop.backend("same", in: "second")
    #expect(
      throws: PluginError.refused(
        file: second, .duplicate(kind: .backend, name: "same", file: first))
    ) {
      try workshop.registry(files: [first, second])
    }
  }

  @Test func `a folder given by option must be readable`() throws {
    let workshop = try Workshop()
    #expect(throws: PluginError.unreadableFolder(workshop.folder + "/absent")) {
      try workshop.registry(["absent"])
    }
  }

  @Test(arguments: [
    ("libespalier-backend-blas.so", true), ("libespalier-logger-a-b_c.1.so", true),
    ("libespalier-backend-.so", false), ("libespalier-model-x.so", false),
    ("libespalier-backend.so", false), ("espalier-backend-blas.so", false),
    ("libespalier-backend-blas.so.1", false), ("libespalier-backend-a b.so", false),
  ])
  func `the file name says whether a plugin is inside`(name: String, isPlugin: Bool) {
    #expect((PluginFile(path: "/x/" + name) != nil) == isPlugin)
  }

  @Test func `a plugin that does not end is left to itself, and the others are ended`() throws {
    let workshop = try Workshop()
    for name in ["first", "last"] {
      try workshop.backend(name, ["-DSHUTDOWN_FILE=\"test_stuck_file\""])
    }
    try workshop.backend("stuck", ["-DSHUTDOWN_HANGS"])
    let file = workshop.folder + "/order"
    HostServices.setSetting("test_stuck_file", to: file)
    let registry = try workshop.registry()
    for name in ["first", "stuck", "last"] { _ = try registry.backend(named: name) }
    let clock = ContinuousClock()
    let start = clock.now
    registry.shutdown(waitingAtMost: 0.2)
    #expect(clock.now - start < .seconds(10))
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "last\nfirst\n")
  }

  @Test func `plugins are ended once, in reverse order of opening`() throws {
    let workshop = try Workshop()
    for name in ["one", "two", "three"] { try workshop.backend(name) }
    let file = workshop.folder + "/order"
    HostServices.setSetting("test_shutdown_file", to: file)
    let registry = try workshop.registry()
    for name in ["two", "three", "one", "two"] { _ = try registry.backend(named: name) }
    registry.shutdown()
    registry.shutdown()
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "one\nthree\ntwo\n")
    #expect(throws: PluginError.shutDown(.backend, name: "one")) {
      try registry.backend(named: "one")
    }
  }
}
