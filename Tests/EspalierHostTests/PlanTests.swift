import EspalierGraph
import EspalierHost
import EspalierTensors
import Foundation
import Testing

@Suite("Plan of a run") struct PlanTests {
  private func need(_ change: (inout MemoryNeed) -> Void) -> MemoryNeed {
    var need = MemoryNeed()
    change(&need)
    return need
  }

  @Test func `mapped weights are resident but need not be free`() {
    let need = need {
      $0.mappedWeights = 1000
      $0.activations = 20
      $0.host = 3
    }
    #expect(need.device == 20)
    #expect(need.resident == 1023)
    #expect(need.description == "23 bytes (activations 20 bytes, host 3 bytes)")
  }

  @Test func `parts that take turns share their arenas and nothing else`() {
    let a = need {
      ($0.activations, $0.workspace, $0.states, $0.inputsAndOutputs) = (100, 5, 7, 1)
    }
    let b = need { ($0.activations, $0.workspace, $0.inputsAndOutputs) = (40, 50, 2) }
    let sum = a.sharingArenas(with: b)
    #expect(sum == b.sharingArenas(with: a))
    #expect((sum.activations, sum.workspace) == (100, 5))
    #expect((sum.states, sum.inputsAndOutputs) == (7, 3))
    #expect((a + b).device == a.device + b.device)
  }

  // MARK: - Disk

  private let needs = [
    DiskNeed(path: "/a/cache", what: "the cache", byteCount: 600, remedy: "take --cache_dir"),
    DiskNeed(path: "/a/out", what: "the states", byteCount: 500, remedy: "take --output_dir"),
    DiskNeed(path: "/b", what: "nothing", byteCount: 0, remedy: ""),
  ]

  @Test func `what goes to the same disk is added up`() throws {
    func space(_ bytes: Int) -> (String) -> DiskNeed.Space? {
      { _ in DiskNeed.Space(device: 1, availableByteCount: bytes) }
    }
    try DiskNeed.check(needs, space: space(1100))
    let error = #expect(throws: PlanError.self) { try DiskNeed.check(needs, space: space(1099)) }
    let text = try #require(error?.description)
    for part in [
      "1.1 KiB", "600 bytes for the cache, in /a/cache", "500 bytes for the states", "--cache_dir",
      "--output_dir",
    ] {
      #expect(text.contains(part), Comment(rawValue: text))
    }
  }

  @Test func `two disks are two disks, and an unknown one is not refused`() throws {
    try DiskNeed.check(needs) { path in
      DiskNeed.Space(device: path == "/a/cache" ? 1 : 2, availableByteCount: 600)
    }
    try DiskNeed.check(needs) { _ in nil }
  }

  @Test func `the space of a folder that does not exist yet is that of its nearest parent`() throws
  {
    let known = try #require(DiskNeed.Space(at: NSTemporaryDirectory()))
    let later = try #require(
      DiskNeed.Space(at: NSTemporaryDirectory() + "/not/there/" + UUID().uuidString))
    #expect(known.device == later.device)
    #expect(later.availableByteCount > 0)
  }

  // MARK: - Memory of the machine

  @Test func `the least of all limits counts`() {
    #expect(SystemMemory().availableByteCount == nil)
    #expect(
      SystemMemory(available: 30, controlGroupHeadroom: 20, addressSpaceHeadroom: 40)
        .availableByteCount == 20)
  }

  @Test func `available memory is read in kibibytes`() {
    let text = "MemTotal:       100 kB\nMemAvailable:    77 kB\nOther: 1\n"
    #expect(SystemMemory.kibibytes("MemAvailable:", in: text) == 77 << 10)
    #expect(SystemMemory.kibibytes("Missing:", in: text) == nil)
    #expect(SystemMemory.kibibytes("MemAvailable:", in: nil) == nil)
    #expect(SystemMemory.current.available ?? 0 > 0)
  }

  /// Files that can be dropped do not count as used; the tightest group on the way up decides.
  @Test func `a control group's limit counts, its parents' too`() throws {
    let root = NSTemporaryDirectory() + "/espalier-groups-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: root) }
    func group(_ path: String, max: String, current: Int, files: Int) throws {
      let folder = root + path
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true)
      try Data(max.utf8).write(to: URL(fileURLWithPath: folder + "/memory.max"))
      try Data("\(current)\n".utf8).write(to: URL(fileURLWithPath: folder + "/memory.current"))
      try Data("anon 5\ninactive_file \(files)\nactive_file 1\n".utf8)
        .write(to: URL(fileURLWithPath: folder + "/memory.stat"))
    }
    func headroom(_ groups: String?) -> Int? {
      SystemMemory.controlGroupHeadroom(groups: groups, root: root)
    }
    try group("/jobs/mine", max: "1000\n", current: 700, files: 99)
    #expect(headroom("0::/jobs/mine\n") == 400)
    try group("/jobs", max: "max\n", current: 900, files: 0)
    #expect(headroom("0::/jobs/mine\n") == 400)
    try group("", max: "2000\n", current: 1900, files: 49)
    #expect(headroom("0::/jobs/mine\n") == 150)
    #expect(headroom("0::/\n") == 150)
    #expect(headroom("0::/elsewhere\n") == 150)
    #expect(headroom("4:memory:/old\n") == nil)
    #expect(headroom(nil) == nil)
  }

  /// In a container the path is often the host's, and the mount shows the container's own group at its root.
  @Test func `a limit of the older control groups counts too`() throws {
    let root = NSTemporaryDirectory() + "/espalier-groups-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: root) }
    try FileManager.default.createDirectory(
      atPath: root + "/memory", withIntermediateDirectories: true)
    for (name, content) in [
      ("limit_in_bytes", "1000\n"), ("usage_in_bytes", "700\n"),
      ("stat", "inactive_file 1\ntotal_inactive_file 90\ntotal_active_file 10\n"),
    ] {
      try Data(content.utf8).write(to: URL(fileURLWithPath: root + "/memory/memory." + name))
    }
    let groups = "8:pids:/\n5:cpu,memory:/docker/abc\n0::/\n"
    #expect(SystemMemory.controlGroupHeadroom(groups: groups, root: root) == 400)
  }
}
