import Foundation
import Testing

/// `espalier plugins`, run as a program; the tests' own folder holds it.
@Suite("espalier plugins") struct PluginsCommandTests {
  private struct Document: Decodable {
    struct Plugin: Decodable {
      struct Device: Decodable {
        let index: Int
        let name, deviceClass: String
        let details: String?
        let memoryBytes, maxBufferBytes, alignment: Int
        let freeMemoryBytes: Int?
        let activationDTypes, weightDTypes: [String]
      }
      struct Scheduler: Decodable { let shortName: String, className: String }
      let name, kind, file, status: String
      let version, reason, shadowedBy: String?
      let devices: [Device]?
      let schedulers: [Scheduler]?
    }
    struct Folder: Decodable { let path, origin: String }
    let plugins: [Plugin]
    let folders: [Folder]
  }

  private func espalier(
    _ arguments: [String], path: String = "", in directory: String? = nil
  ) throws -> (status: Int32, output: String, error: String) {
    let tests = try #require(Bundle.main.executablePath) as NSString
    return try Workshop.run(
      tests.deletingLastPathComponent + "/espalier", arguments,
      environment: ["ESPALIER_PLUGIN_PATH": path, "ESPALIER_NUM_THREADS": ""],
      currentDirectory: directory)
  }

  private func workshop() throws -> Workshop {
    let workshop = try Workshop()
    try workshop.backend("good", in: "a", ["-DDEVICES=1", "-DDETAILS=\"Driver 1.2, subgroup 8\""])
    try workshop.backend("old", in: "a", ["-DMAJOR=2"])
    try workshop.backend("good", in: "b")
    try workshop.build("scheduler", "b/libespalier-scheduler-sample.so")
    return workshop
  }

  @Test func `JSON holds usable, refused and shadowed plugins`() throws {
    let workshop = try workshop()
    let (a, b) = (workshop.folder + "/a", workshop.folder + "/b")
    let result = try espalier(["plugins", "--json", "--plugin-dir", a, "--plugin-dir", b])
    #expect(result.status == 0)
    let document = try JSONDecoder().decode(Document.self, from: Data(result.output.utf8))
    #expect(document.folders.prefix(2).map(\.path) == [a, b])
    let plugins = document.plugins.filter { $0.file.hasPrefix(workshop.folder) }
    #expect(plugins.map(\.name) == ["good", "old", "good", "sample"])
    #expect(plugins.map(\.status) == ["usable", "refused", "shadowed", "usable"])
    let device = try #require(plugins[0].devices?.first)
    #expect(device.name == "First Device")
    #expect(device.details == "Driver 1.2, subgroup 8")
    #expect(device.memoryBytes == 1 << 30 && device.freeMemoryBytes == nil)
    #expect(device.maxBufferBytes == 1 << 28 && device.alignment == 64)
    #expect(device.activationDTypes == ["F32"] && device.weightDTypes == ["F32", "F16"])
    #expect(plugins[0].version == "1.2.3")
    #expect(plugins[1].reason?.contains("boundary 2") == true)
    #expect(plugins[2].shadowedBy == plugins[0].file)
    #expect(plugins[3].schedulers?.map(\.shortName) == ["half", "broken"])
  }

  @Test func `the table names devices, schedulers, reasons and folders`() throws {
    let workshop = try workshop()
    let result = try espalier(
      ["plugins"], path: "\(workshop.folder)/a:\(workshop.folder)/b")
    #expect(result.status == 0)
    for text in [
      "device 0: First Device (CPU)", "    Driver 1.2, subgroup 8\n",
      "    memory 1.0 GiB, a buffer at most 256 MiB, alignment 64 bytes\n",
      "    activations F32, weights F32 F16\n", "HalfScheduler: half\n", "this espalier speaks 1",
      "shadowed  \(workshop.folder)/b/libespalier-backend-good.so",
      "\(workshop.folder)/a (ESPALIER_PLUGIN_PATH)",
    ] {
      #expect(result.output.contains(text))
    }
  }

  @Test func `the current directory is never searched`() throws {
    let workshop = try Workshop()
    try workshop.backend("here")
    try workshop.backend("there", in: "folder")
    let result = try espalier(
      ["plugins", "--json"], path: ":.:\(workshop.folder)/folder:", in: workshop.folder)
    #expect(result.status == 0)
    #expect(result.output.contains("libespalier-backend-there.so"))
    #expect(!result.output.contains("libespalier-backend-here.so"))
    #expect(result.error.hasPrefix("warning: ignoring '.' in ESPALIER_PLUGIN_PATH"))
  }

  @Test func `a failure exits with 1 and one error line`() throws {
    let workshop = try workshop()
    let old = workshop.folder + "/a/libespalier-backend-old.so"
    for arguments in [["--plugin", old], ["--plugin-dir", workshop.folder + "/absent"]] {
      let result = try espalier(["plugins"] + arguments)
      #expect(result.status == 1)
      #expect(result.output.isEmpty)
      #expect(result.error.hasPrefix("error: cannot "))
      #expect(result.error.split(separator: "\n").count == 1)
      #expect(result.error.contains(arguments[1]))
    }
  }

  @Test(arguments: [["--threads", "0"], ["--threads", "many"], ["--bogus"], ["a", "b"]])
  func `a wrong command line exits with 2`(arguments: [String]) throws {
    let result = try espalier(["plugins"] + arguments)
    #expect(result.status == 2)
    #expect(result.output.isEmpty)
    #expect(result.error.hasPrefix("error: "))
    #expect(result.error.contains("Usage: espalier plugins"))
  }

  @Test(arguments: [["--help"], ["--version"], ["plugins", "--help"], ["help", "plugins"]])
  func `help and version are results`(arguments: [String]) throws {
    let result = try espalier(arguments)
    #expect(result.status == 0)
    #expect(!result.output.isEmpty)
    #expect(result.error.isEmpty)
  }
}
