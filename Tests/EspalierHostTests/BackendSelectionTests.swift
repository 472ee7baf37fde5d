import EspalierHost
import Testing

@Suite("Backend selection") struct BackendSelectionTests {
  @Test(arguments: [
    ("good", 0), ("good:0", 0), ("good:2", 2), ("good:radeon", 1), ("good:SECOND dev", 2),
  ])
  func `a device is named by its number or a part of its name`(
    selector: String, index: Int
  ) throws {
    let workshop = try Workshop()
    try workshop.backend("good")
    let choice = try workshop.registry().backend(named: selector)
    #expect(choice.backend.name == "good")
    #expect(choice.device.index == index)
  }

  @Test func `a device that is not there is answered with those that are`() throws {
    let workshop = try Workshop()
    try workshop.backend("good", ["-DDEVICES=2"])
    let devices = ["0: First Device (CPU)", "1: Radeon Pretend 7 (software GPU)"]
    for selector in ["2", "geforce", ""] {
      #expect(
        throws: PluginError.unknownDevice(backend: "good", selector: selector, devices: devices)
      ) {
        try workshop.registry().backend(named: "good:" + selector)
      }
    }
  }

  @Test func `a part of a name that fits two devices is refused`() throws {
    let workshop = try Workshop()
    try workshop.backend("good")
    #expect(
      throws: PluginError.ambiguousDevice(
        backend: "good", selector: "device",
        devices: ["0: First Device (CPU)", "2: Second Device (CPU)"])
    ) {
      try workshop.registry().backend(named: "good:device")
    }
  }

  @Test func `the whole name of a device counts for it alone`() throws {
    let workshop = try Workshop()
    try workshop.backend("good", ["-DSECOND_NAME=\"First Device XT\""])
    let registry = try workshop.registry()
    #expect(try registry.backend(named: "good:first device").device.index == 0)
    #expect(try registry.backend(named: "good:first device x").device.index == 1)
    #expect(throws: PluginError.self) { try registry.backend(named: "good:first") }
  }

  @Test func `a backend's name means its best device, a software GPU if it has no other`() throws {
    let workshop = try Workshop()
    let software = "-DFIRST_CLASS=ESP_DEVICE_SOFTWARE_GPU"
    try workshop.backend("mixed", [software, "-DSECOND_CLASS=ESP_DEVICE_INTEGRATED_GPU"])
    try workshop.backend("soft", [software])
    try workshop.backend("none", ["-DDEVICES=0"])
    let registry = try workshop.registry()
    #expect(try registry.backend(named: "mixed").device.index == 1)
    #expect(try registry.backend(named: "soft").device.index == 0)
    #expect(try registry.backend(named: "soft").device.deviceClass == .softwareGPU)
    for selector in ["none", "none:0", "none:radeon"] {
      let error = try #require(throws: PluginError.self) { try registry.backend(named: selector) }
      #expect("\(error)".contains("'none' finds no device on this machine"))
    }
  }

  @Test func `a device's details come through, and not from a backend that knows none`() throws {
    let workshop = try Workshop()
    func details(_ flags: [String]) throws -> String? {
      let name = "b\(flags.count)-\(flags.joined().count)"
      try workshop.backend(name, flags)
      return try workshop.registry().backend(named: name).device.details
    }
    let text = "-DDETAILS=\"Driver 1.2,\\nsubgroup 8\""
    #expect(try details([]) == nil)
    #expect(try details([text]) == "Driver 1.2, subgroup 8")
    #expect(
      try details([text, "-DMINOR=0", "-DINFO_BYTES=offsetof(esp_device_info,details)"]) == nil)
    let long = String(repeating: "x", count: 300)
    #expect(try details(["-DDETAILS=\"\(long)\""]) == String(repeating: "x", count: 256))
  }

  @Test func `an unknown backend is answered with names and folders`() throws {
    let workshop = try Workshop()
    try workshop.backend("good")
    try workshop.backend("fast")
    #expect(
      throws: PluginError.unknown(
        .backend, name: "vulcan", available: ["fast", "good"], folders: [workshop.folder + "/."])
    ) {
      try workshop.registry().backend(named: "vulcan")
    }
  }

  @Test func `auto takes a discrete GPU, then an integrated one, then the CPU`() throws {
    let workshop = try Workshop()
    try workshop.backend("cpu", in: "cpu")
    try workshop.backend(
      "integrated", in: "integrated", ["-DFIRST_CLASS=ESP_DEVICE_INTEGRATED_GPU"])
    try workshop.backend("a-discrete", in: "discrete", ["-DFIRST_CLASS=ESP_DEVICE_DISCRETE_GPU"])
    try workshop.backend("a-software", in: "software", ["-DFIRST_CLASS=ESP_DEVICE_SOFTWARE_GPU"])
    func choice(_ folders: [String]) throws -> String {
      try workshop.registry(folders).backend(named: "auto").backend.name
    }
    #expect(try choice(["software", "cpu", "integrated", "discrete"]) == "a-discrete")
    #expect(try choice(["software", "cpu", "integrated"]) == "integrated")
    #expect(try choice(["software", "cpu"]) == "cpu")
    #expect(throws: PluginError.self) { try choice(["software"]) }
    let named = try workshop.registry(["software"]).backend(named: "a-software")
    #expect(named.device.deviceClass == .softwareGPU)
  }

  @Test func `auto passes over a backend that cannot be used`() throws {
    let workshop = try Workshop()
    try workshop.backend("bad", ["-DCOUNT_FAILS", "-DFIRST_CLASS=ESP_DEVICE_DISCRETE_GPU"])
    try workshop.backend("empty", ["-DDEVICES=0"])
    try workshop.backend("good")
    #expect(try workshop.registry().backend(named: "auto").backend.name == "good")
  }

  @Test func `auto without any device says what was tried`() throws {
    let workshop = try Workshop()
    try workshop.backend("bad", ["-DCOUNT_FAILS"])
    try workshop.backend("empty", ["-DDEVICES=0"])
    let error = try #require(throws: PluginError.self) {
      try workshop.registry().backend(named: "auto")
    }
    let text = "\(error)"
    #expect(text.contains("the bus is on fire"))
    #expect(text.contains("empty: no device"))
    #expect(text.contains(workshop.folder))
  }
}
