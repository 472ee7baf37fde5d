import Logging
import Synchronization

/// The plugins of a run: opens what is asked for by name, and ends all of them.
///
/// One per process, made after `ThreadPool.start` and before anything computes.
public final class PluginRegistry: Sendable {
  let loader: PluginLoader
  static let logger = Logger(label: "espalier.plugins")
  private let backends = Mutex<[String: BackendPlugin]>([:])

  /// Lists the plugin files on `searchPath` and opens `files`.
  ///
  /// - Parameters:
  ///   - searchPath: Where plugins are looked for.
  ///   - files: The values of `--plugin`; they come first, and one that cannot be used is fatal.
  /// - Throws: `PluginError`.
  public init(
    searchPath: PluginSearchPath = PluginSearchPath(), files: [String] = []
  ) throws(PluginError) {
    loader = try PluginLoader(searchPath: searchPath, files: files)
  }

  /// Ends all opened plugins, the last opened first; nothing of theirs may be used afterwards.
  ///
  /// - Parameter seconds: How long to wait for each at most; one that hangs is left to itself.
  public func shutdown(waitingAtMost seconds: Double = 5) {
    backends.withLock { $0 = [:] }
    loader.shutdown(waitingAtMost: seconds)
  }

  /// The backend and device that `selector` names.
  ///
  /// - Parameter selector: `NAME` (its best device), `NAME:NUMBER`, `NAME:PART-OF-DEVICE-NAME`, or
  ///   `auto`: a discrete GPU, else an integrated one, else the CPU; never a software GPU.
  /// - Throws: `PluginError`, or `BackendError` if a named backend cannot list its devices.
  public func backend(
    named selector: String
  ) throws -> (backend: BackendPlugin, device: DeviceInfo) {
    let choice =
      selector == "auto"
      ? try automaticBackend() : try namedBackend(selector)
    Self.logger.info(
      """
      backend \(choice.backend.name), device \(choice.device)\
      \(selector == "auto" ? ", chosen by 'auto'" : "")
      """)
    return choice
  }

  /// The backend of this name with its devices listed, opened now or before.
  func openBackend(_ name: String) throws -> BackendPlugin {
    if let backend = backends.withLock({ $0[name] }) { return backend }
    let plugin = try plugin(.backend, named: name)
    guard case .backend(let api) = plugin.api else {
      throw unknown(.backend, name: name)
    }
    let backend = try BackendPlugin(plugin, api: api)
    return backends.withLock { backends in
      if let first = backends[name] { return first }
      backends[name] = backend
      return backend
    }
  }

  /// The plugin of this kind and name.
  ///
  /// - Throws: `PluginError.unknown` with the names that there are, or `.refused`.
  func plugin(_ kind: PluginKind, named name: String) throws(PluginError) -> LoadedPlugin {
    guard let plugin = try loader.plugin(kind, named: name) else {
      throw unknown(kind, name: name)
    }
    return plugin
  }

  func unknown(_ kind: PluginKind, name: String, available: [String]? = nil) -> PluginError {
    .unknown(
      kind, name: name, available: available ?? loader.usable(kind).map(\.name).sorted(),
      folders: searchedFolders)
  }

  private var searchedFolders: [String] { loader.searchPath.folders.map(\.path) }

  private func namedBackend(
    _ selector: String
  ) throws -> (backend: BackendPlugin, device: DeviceInfo) {
    let parts = selector.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let backend = try openBackend(String(parts[0]))
    if parts.count == 2 {
      return (backend, try backend.device(String(parts[1])))
    }
    guard let device = backend.bestDevice else {
      throw PluginError.unknownDevice(backend: backend.name, selector: "any", devices: [])
    }
    return (backend, device)
  }

  private func automaticBackend() throws(PluginError) -> (
    backend: BackendPlugin, device: DeviceInfo
  ) {
    var choices: [(backend: BackendPlugin, device: DeviceInfo)] = []
    var tried: [String] = []
    for file in loader.usable(.backend).sorted(by: { $0.name < $1.name }) {
      do {
        let backend = try openBackend(file.name)
        choices += backend.devices.map { (backend, $0) }
        tried.append(
          "\(file.name): "
            + (backend.devices.isEmpty
              ? "no device" : backend.devices.map(\.description).joined(separator: ", ")))
      } catch {
        tried.append("\(file.name): \(error)")
        Self.logger.warning("'auto' passes over the backend '\(file.name)': \(error)")
      }
    }
    let best = choices.filter { $0.device.deviceClass != .softwareGPU }
      .min { $0.device.deviceClass.rank < $1.device.deviceClass.rank }
    guard let best else { throw .noDevice(tried: tried, folders: searchedFolders) }
    return best
  }
}
