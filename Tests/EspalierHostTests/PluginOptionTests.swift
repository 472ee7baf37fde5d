import EspalierHost
import EspalierText
import Foundation
import Testing

@Suite("PluginOption") struct PluginOptionTests {
  private func contents(_ workshop: Workshop, _ name: String) throws -> PluginInventory.Contents {
    let entries = try workshop.registry().inventory().entries
    guard case .usable(let contents)? = entries.first(where: { $0.name == name })?.outcome else {
      throw PluginRefusal.missingFile
    }
    return contents
  }

  @Test func `a plugin's descriptions are read as it gives them`() throws {
    let workshop = try Workshop()
    try workshop.build("options", "libespalier-logger-opts.so")
    #expect(
      try contents(workshop, "opts").options == [
        PluginOption(name: "count", kind: .int, defaultValue: "4", summary: "How many."),
        PluginOption(
          name: "mode", kind: .choice, defaultValue: "plain", choices: ["plain", "fancy"],
          summary: "Which way."),
      ])
  }

  @Test(arguments: [
    (["-DLIST=NULL"], "says 2 options but has no list"),
    (["-DCOUNT=123456789"], "says 123456789 options, expected at most 1024"),
    (["-DFIRST=NULL"], "has a null option"),
    (["-DOPTION_BYTES=0"], "esp_option_description says 0 bytes"),
    (["-DOPTION_BYTES=12"], "lacks the required 'name' (the struct ends before it)"),
    (["-DOPTION_NAME=NULL"], "lacks the required 'name' (it is null)"),
    (["-DSUMMARY=NULL"], "lacks the required 'summary' (it is null)"),
    (["-DOPTION_NAME=\"\""], "an option ''; expected a name of letters"),
    (["-DOPTION_NAME=\"wandb.mode\""], "an option 'wandb.mode'; expected a name of letters"),
    (["-DOPTION_NAME=\"count\""], "describes the option 'count' twice"),
    (["-DTYPE=77"], "gives its option 'mode' the unknown type 77"),
    (["-DTYPE=-1"], "gives its option 'mode' the unknown type -1"),
    (["-DCHOICES=NULL"], "gives its option 'mode' no choices"),
    (["-DDEFAULT=\"ugly\""], "the default 'ugly', which is not one of plain, fancy"),
    (["-DTYPE=ESP_OPTION_BOOL"], "the default 'plain', which is not true or false"),
  ])
  func `a wrong description refuses the plugin and says what is wrong`(
    flags: [String], reason: String
  ) throws {
    let workshop = try Workshop()
    try workshop.build("options", "libespalier-logger-bad.so", ["-DNAME=\"bad\""] + flags)
    try workshop.build("options", "libespalier-logger-good.so", ["-DNAME=\"good\""])
    let registry = try workshop.registry()
    let refusal = try #require(registry.inventory().refusal("bad"))
    #expect(refusal.contains(reason), Comment(rawValue: refusal))
    #expect(refusal.contains("author") && !refusal.contains("\n"), Comment(rawValue: refusal))
    #expect(registry.usableLoggers() == ["good"])
  }

  @Test func `a description that ends early or comes from a newer plugin is taken`() throws {
    let workshop = try Workshop()
    try workshop.build(
      "options", "libespalier-logger-short.so",
      ["-DNAME=\"short\"", "-DTYPE=ESP_OPTION_STRING", "-DOPTION_BYTES=24"])
    try workshop.build(
      "options", "libespalier-logger-newer.so",
      ["-DNAME=\"newer\"", "-DTYPE=77", "-DMINOR=(ESP_ABI_MINOR+1)"])
    let short = try contents(workshop, "short").options[1]
    #expect(short.kind == .string && short.defaultValue == nil)
    #expect(try contents(workshop, "newer").options[1].kind == .string)
  }

  @Test func `a plugin of an older boundary has no options`() throws {
    let workshop = try Workshop()
    try workshop.backend("old", ["-DPLUGIN_BYTES=offsetof(esp_plugin,options)"])
    #expect(try contents(workshop, "old").options.isEmpty)
  }

  @Test(arguments: [
    ("key=value", nil, "key", "value"), ("wandb.project=a=b.c", "wandb", "project", "a=b.c"),
    ("my.logger.key=", "my.logger", "key", ""),
  ])
  func `an assignment is taken apart`(
    text: String, plugin: String?, key: String, value: String
  ) throws {
    #expect(
      try OptionAssignment(text, flag: "--x")
        == OptionAssignment(flag: "--x", plugin: plugin, key: key, value: value))
  }

  @Test(arguments: ["key", "", "=value", ".key=1", "name.=1"])
  func `what is no assignment is refused`(text: String) {
    #expect(throws: OptionError.form(flag: "--x", text: text)) {
      try OptionAssignment(text, flag: "--x")
    }
  }

  @Test(
    arguments: [
      (.bool, "true", .bool(true)), (.bool, "yes", nil),
      (.int, "-3", .number(-3)), (.int, "3.0", nil), (.int, "99999999999999999999", nil),
      (.number, "3", .number(3.0)), (.number, "1e-3", .number(0.001)), (.number, "inf", nil),
      (.number, "1e999", nil), (.number, "", nil), (.choice, "b", .string("b")),
      (.choice, "c", nil),
      (.string, "", .string("")), (.json, "[1, null]", .array([.number("1"), .null])),
      (.json, "[1", nil),
    ] as [(PluginOption.Kind, String, JSONValue?)])
  func `a text is read as the option's type says`(
    kind: PluginOption.Kind, text: String, value: JSONValue?
  ) {
    let option = PluginOption(
      name: "x", kind: kind, defaultValue: nil, choices: ["a", "b"], summary: "")
    #expect(option.value(ofText: text) == value)
  }

  /// A registry with three loggers opened: their files are gone when this returns.
  private func loggers() throws -> PluginRegistry {
    let workshop = try Workshop()
    try workshop.build("options", "libespalier-logger-first.so", ["-DNAME=\"first\""])
    try workshop.build("options", "libespalier-logger-second.so", ["-DNAME=\"second\""])
    try workshop.build("logger", "libespalier-logger-lines.so")
    let registry = try workshop.registry()
    #expect(registry.usableLoggers() == ["first", "lines", "second"])
    return registry
  }

  /// The message about one assignment.
  private func refusal(_ text: String, for names: [String]) throws -> String? {
    let registry = try loggers()
    let option = try OptionAssignment(text, flag: "--logger_option")
    do {
      _ = try registry.loggerOptions([option], for: names)
      return nil
    } catch let error as OptionError {
      return "\(error)"
    }
  }

  @Test func `an option that does not fit is refused in words`() throws {
    #expect(
      try refusal("first.mod=x", for: ["first"])
        == "--logger_option first.mod: the logger 'first' has no option 'mod' (did you mean 'mode'?); "
        + "it takes count, mode, as 'espalier plugins first' describes them")
    #expect(
      try refusal("count=many", for: ["first"])
        == "--logger_option count: expected a whole number, found 'many'")
    #expect(
      try refusal("mode=ugly", for: ["first"])
        == "--logger_option mode: expected one of plain, fancy, found 'ugly'")
    #expect(
      try refusal("count=1", for: ["first", "second"])
        == "--logger_option count: several loggers are in use, say which one: first.count=… or "
        + "second.count=…")
    #expect(
      try refusal("secnd.count=1", for: ["first", "second"])
        == "--logger_option secnd.count: the logger 'secnd' is not in use (did you mean "
        + "'second'?), but first, second")
    #expect(
      try refusal("x=1", for: ["lines"])
        == "--logger_option x: the logger 'lines' takes no options")
    #expect(
      try refusal("x=1", for: []) == "--logger_option x: no logger is in use that could take it")
    #expect(try refusal("count=1", for: ["first"]) == nil)
  }

  @Test(
    arguments: [
      ("cvs", "csv"), ("eular", "euler"), ("kernel", "kernels"), ("EulerScheduler", nil),
      ("x", nil),
      ("", nil), ("csvcsvcsv", nil),
    ] as [(String, String?)])
  func `what somebody meant is near what they typed`(typed: String, meant: String?) {
    let names = ["csv", "ddpm", "euler", "kernels", "EulerAncestralDiscreteScheduler"]
    #expect(NearestNames.meant(by: typed, among: names) == meant)
  }

  @Test func `a secret in an option that does not exist is not repeated`() throws {
    let message = try #require(try refusal("first.api_key=hush-hush", for: ["first"]))
    #expect(message.contains("api_key") && !message.contains("hush"))
  }

  @Test func `the same option twice is refused`() throws {
    let registry = try loggers()
    let options = [1, 2].map {
      OptionAssignment(flag: "--logger_option", key: "count", value: "\($0)")
    }
    #expect(throws: OptionError.twice(options[1])) {
      try registry.loggerOptions(options, for: ["first"])
    }
  }

  @Test func `loggers get their options with the types that they describe`() throws {
    let registry = try loggers()
    let options = try registry.loggerOptions(
      [
        OptionAssignment("second.count=7", flag: "--logger_option"),
        OptionAssignment("first.mode=fancy", flag: "--logger_option"),
      ], for: ["first", "second"])
    #expect(options["second"] == .object([JSONMember(key: "count", value: .number(7))]))
    #expect(options["first"] == .object([JSONMember(key: "mode", value: .string("fancy"))]))
  }

  @Test func `a backend's options become the texts that device_open takes`() throws {
    let workshop = try Workshop()
    try workshop.backend("plain")
    let backend = try workshop.registry().backend(named: "plain").backend
    let option = OptionAssignment(flag: "--backend_option", plugin: "plain", key: "x", value: "1")
    #expect(
      throws: OptionError.unknown(option, owner: "backend 'plain'", plugin: "plain", options: [])
    ) {
      try backend.settings([option])
    }
    #expect(try backend.settings([]).isEmpty)
  }
}
