import EspalierABI
import EspalierConformance
import EspalierPluginKit
import Synchronization
import Testing

@Suite struct RegistrationTests {
  @Test func `the entry hands out every registered plugin and then none`() throws {
    let plugins = RegisteredPlugins.all
    #expect(plugins.map(\.kind) == [ESP_KIND_BACKEND, ESP_KIND_LOGGER, ESP_KIND_SCHEDULER])
    #expect(plugins.map { String(cString: $0.name) } == ["recording", "recording", "sample"])
    #expect(plugins.map { String(cString: $0.version) } == ["1.2.3", "1.0", "2.0"])
    #expect(
      plugins.map(\.struct_size) == plugins.map { _ in UInt32(MemoryLayout<esp_plugin>.size) })
    #expect(failure { _ = try RegisteredPlugins.plugin(3) }?.code == ESP_NOT_FOUND)
    #expect(failure { _ = try RegisteredPlugins.plugin(0, hostMajor: 2) }?.code == ESP_VERSION)
  }

  @Test func `options are described by the declarations that read them`() throws {
    let plugins = RegisteredPlugins.all
    #expect(
      ReadOption.all(plugins[0].options, plugins[0].option_count) == [
        .init(
          name: "fails", type: ESP_OPTION_BOOL, fallback: "false", choices: nil,
          summary: "Refuses to open"),
        .init(
          name: "label", type: ESP_OPTION_STRING, fallback: nil, choices: nil, summary: "Any text"),
        .init(
          name: "count", type: ESP_OPTION_INT, fallback: "2", choices: nil, summary: "How many"),
        .init(
          name: "scale", type: ESP_OPTION_NUMBER, fallback: "0.5", choices: nil,
          summary: "How much"),
        .init(
          name: "mode", type: ESP_OPTION_CHOICE, fallback: "plain", choices: "plain,fancy",
          summary: "Which way"),
        .init(
          name: "list", type: ESP_OPTION_JSON, fallback: nil, choices: nil,
          summary: "Some numbers"),
      ])
    #expect(
      ReadOption.all(plugins[1].options, plugins[1].option_count).map(\.name) == ["queue_size"])
    #expect(plugins[2].options == nil && plugins[2].option_count == 0)
  }

  @Test func `an alias is a class of its own name with the settings that it stands for`() throws {
    let api = try #require(
      RegisteredPlugins.api(esp_scheduler_api.self, kind: ESP_KIND_SCHEDULER))
    #expect(api.class_count() == 3 && api.class_at(3) == nil)
    let classes = try (0..<3 as Range<UInt32>).map { try #require(api.class_at($0)).pointee }
    #expect(classes.map { String(cString: $0.short_name) } == ["sample", "smp", "sample_fast"])
    #expect(classes.allSatisfy { String(cString: $0.class_name) == "SampleScheduler" })
    #expect(
      classes.map { $0.preset.map { String(cString: $0) } } == [
        nil, nil, #"{"factor": 0.25, "fast": true}"#,
      ])
    for entry in classes {
      #expect(ReadOption.all(entry.options, entry.option_count).map(\.name) == ["factor", "fast"])
    }
  }

  private func create(_ name: String, _ config: String) throws -> Double {
    let api = try #require(
      RegisteredPlugins.api(esp_scheduler_api.self, kind: ESP_KIND_SCHEDULER))
    var handle: OpaquePointer?
    try checked { api.create(name, config, &handle, $0) }
    let scheduler = try #require(handle)
    defer { api.destroy(scheduler) }
    return api.init_noise_sigma(scheduler)
  }

  @Test func `a scheduler is made by its class name from its configuration`() throws {
    #expect(try create("SampleScheduler", #"{"factor": 4, "unknown": []}"#) == 4)
    #expect(try create("sample", #"{"factor": null}"#) == 0.5)
    #expect(failure { _ = try create("Other", "{}") }?.code == ESP_NOT_FOUND)
    let refused = failure { _ = try create("SampleScheduler", #"{"factor": -1}"#) }
    #expect(refused?.message == "SampleScheduler: factor is -1; allowed: a number above 0")
  }

  @Test func `a logger reads its run and what it does not write is ignored`() throws {
    let api = try #require(RegisteredPlugins.api(esp_logger_api.self, kind: ESP_KIND_LOGGER))
    var handle: OpaquePointer?
    let run = #"""
      {"directory": "registration test", "project": "p", "resume_step": 7, "config": {"b": [1, "x\n"], "a": null},
      "options": {"queue_size": 1}}
      """#
    try checked { api.open(run, &handle, $0) }
    let logger = try #require(handle)
    let told = try #require(RecordingLogger.opened.withLock { $0["registration test"] })
    #expect(told.project == "p" && told.name == nil && told.resumeStep == 7)
    #expect(told.config.text == #"{"a": null, "b": [1, "x\n"]}"#)
    let flush = try #require(api.flush)
    let finish = try #require(api.finish)
    let text = try #require(api.text)
    try checked { flush(logger, $0) }
    try checked { finish(logger, 3, $0) }
    try checked { text(logger, 1, "tag", "text", $0) }
    let stopRequested = try #require(api.stop_requested)
    #expect(stopRequested(logger) == 0)
    let names = [processLifetimeCString("a"), processLifetimeCString("b")]
    let refused = failure {
      try checked { api.scalars(logger, 1, names, [1, 2], 2, $0) }
    }
    #expect(refused?.message == "2 rows")
    try checked { api.close(logger, $0) }
    let bad = failure {
      try checked {
        api.open(#"{"directory": "d", "options": {"queue_size": 0}}"#, &handle, $0)
      }
    }
    #expect(
      bad?.message == "recording logger: queue_size is 0; allowed: a whole number from 1 to 1024")
    #expect(failure { try checked { api.open("{}", &handle, $0) } }?.code == ESP_INVALID_ARGUMENT)
  }
}
