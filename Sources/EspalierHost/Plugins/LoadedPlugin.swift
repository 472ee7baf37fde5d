import EspalierABI

/// A plugin that was opened and checked; its table lives as long as the process.
// SAFETY: the pointers lead to copies that are never written or freed after `init`.
final class LoadedPlugin: @unchecked Sendable {
  let kind: PluginKind
  let name: String
  let version: String
  let summary: String
  /// The file as it was found, before links are followed.
  let file: String
  /// The boundary's minor version that the plugin was compiled with.
  let minorVersion: UInt32
  /// The host's copy of the table of functions, by kind.
  let api: API
  /// The options that the plugin itself takes; a scheduler plugin's are those of its classes.
  let options: [PluginOption]
  private let table: UnsafePointer<esp_plugin>

  /// The table of functions of each kind.
  enum API {
    case backend(UnsafePointer<esp_backend_api>)
    case scheduler(UnsafePointer<esp_scheduler_api>, [SchedulerClass])
    case logger(UnsafePointer<esp_logger_api>)
    case communicator(UnsafePointer<esp_communicator_api>)
  }

  /// Opens the file and takes the plugin that its name promises.
  ///
  /// - Throws: `PluginRefusal`.
  init(_ file: PluginFile) throws(PluginRefusal) {
    let offered = try PluginLibrary(path: file.path).plugins()
    let matching = offered.filter {
      $0.pointee.kind == file.kind.code && String(cString: $0.pointee.name) == file.name
    }
    guard let table = matching.first else {
      let found = offered.map {
        let kind = PluginKind(code: $0.pointee.kind)?.rawValue ?? "kind \($0.pointee.kind)"
        return "\(kind) '\(String(cString: $0.pointee.name))'"
      }
      throw .otherPlugin(expected: "\(file.kind.rawValue) '\(file.name)'", found: found)
    }
    guard matching.count == 1 else {
      throw .duplicate(kind: file.kind, name: file.name, file: "this library itself")
    }
    kind = file.kind
    name = file.name
    version = String(cString: table.pointee.version)
    summary = String(cString: table.pointee.summary)
    self.file = file.path
    minorVersion = table.pointee.abi_minor
    self.table = table
    do {
      options = try PluginOption.all(
        table.pointee.options, count: table.pointee.option_count, minor: table.pointee.abi_minor)
    } catch {
      throw .options(schedulerClass: nil, error)
    }
    api = try Self.api(table.pointee, of: file)
  }

  /// How the user's options reach it.
  var optionOwner: OptionOwner {
    OptionOwner(title: "\(kind.rawValue) '\(name)'", names: [name], options: options)
  }

  /// True if it wants to be told that no call follows.
  var hasShutdown: Bool { table.pointee.shutdown != nil }

  /// Tells the plugin that no call follows.
  func shutdown() { table.pointee.shutdown?() }

  /// Bytes of `struct_size` and `flags`, with which every table of functions starts.
  private static let head = 8

  private static func api(
    _ plugin: esp_plugin, of file: PluginFile
  ) throws(PluginRefusal) -> API {
    let source = plugin.api
    switch file.kind {
    case .backend:
      return .backend(
        try PluginTable.copy(
          source, as: esp_backend_api.self, named: "esp_backend_api", head: head,
          required: RequiredFields.backend))
    case .scheduler:
      let api = try PluginTable.copy(
        source, as: esp_scheduler_api.self, named: "esp_scheduler_api", head: head,
        required: RequiredFields.scheduler)
      return .scheduler(
        api, try SchedulerClass.all(of: api, plugin: file.name, minor: plugin.abi_minor))
    case .logger:
      return .logger(
        try PluginTable.copy(
          source, as: esp_logger_api.self, named: "esp_logger_api", head: head,
          required: RequiredFields.logger))
    case .communicator:
      return .communicator(
        try PluginTable.copy(
          source, as: esp_communicator_api.self, named: "esp_communicator_api", head: head,
          required: RequiredFields.communicator))
    }
  }
}
