import EspalierHost
import Foundation

/// A temporary folder in which tests build plugins from `Plugins/*.c` with the system's C compiler.
final class Workshop: Sendable {
  let folder: String

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("espalier-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    folder = url.resolvingSymlinksInPath().path
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Compiles `Plugins/<source>.c` into `file`, relative to the folder.
  ///
  /// - Returns: The path of the library.
  @discardableResult
  func build(_ source: String, _ file: String, _ flags: [String] = []) throws -> String {
    let output = folder + "/" + file
    try makeParent(of: output)
    try Self.compile(
      [
        "-std=gnu11", "-shared", "-fPIC", "-O1", "-I", Self.headers, "-o", output,
        Self.sources + "/\(source).c", "-pthread",
      ] + flags)
    return output
  }

  /// A backend called `name`; `flags` make it wrong.
  @discardableResult
  func backend(
    _ name: String, in subfolder: String = ".", _ flags: [String] = []
  ) throws -> String {
    try build(
      "backend", "\(subfolder)/libespalier-backend-\(name).so", ["-DNAME=\"\(name)\""] + flags)
  }

  /// Writes a text file, relative to the folder.
  @discardableResult
  func write(_ text: String, _ file: String) throws -> String {
    let path = folder + "/" + file
    try makeParent(of: path)
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    return path
  }

  /// A registry that searches these subfolders and nothing else.
  func registry(_ subfolders: [String] = ["."], files: [String] = []) throws -> PluginRegistry {
    try PluginRegistry(
      searchPath: PluginSearchPath(
        pluginDirectories: subfolders.map { folder + "/" + $0 }, environment: { _ in nil },
        executable: nil),
      files: files)
  }

  private func makeParent(of path: String) throws {
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
  }

  /// Runs the C compiler.
  static func compile(_ arguments: [String], with compiler: String = "cc") throws {
    let result = try run("/usr/bin/env", [compiler] + arguments)
    if result.status != 0 { throw CompilerError(output: result.error) }
  }

  struct CompilerError: Error { let output: String }

  /// Runs a program to its end.
  static func run(
    _ program: String, _ arguments: [String], environment: [String: String] = [:],
    currentDirectory: String? = nil
  ) throws -> (status: Int32, output: String, error: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    if let currentDirectory {
      process.currentDirectoryURL = URL(fileURLWithPath: currentDirectory)
    }
    let base = FileManager.default.temporaryDirectory.path + "/espalier-run-\(UUID().uuidString)"
    for file in [base + ".out", base + ".err"] {
      _ = FileManager.default.createFile(atPath: file, contents: nil)
    }
    defer {
      try? FileManager.default.removeItem(atPath: base + ".out")
      try? FileManager.default.removeItem(atPath: base + ".err")
    }
    process.standardOutput = FileHandle(forWritingAtPath: base + ".out")
    process.standardError = FileHandle(forWritingAtPath: base + ".err")
    try process.run()
    process.waitUntilExit()
    return (
      process.terminationStatus, try String(contentsOfFile: base + ".out", encoding: .utf8),
      try String(contentsOfFile: base + ".err", encoding: .utf8)
    )
  }

  private static let tests = (#filePath as NSString).deletingLastPathComponent
  static let sources = tests + "/Plugins"
  static let headers = tests + "/../../Sources/EspalierABI/include"
}

extension PluginInventory {
  /// The reason why the plugin of this name is refused, nil if it is not.
  func refusal(_ name: String) -> String? {
    for case .refused(let reason) in entries.filter({ $0.name == name }).map(\.outcome) {
      return reason
    }
    return nil
  }

  /// The names of the plugins that can be used, in search order.
  var usable: [String] {
    entries.compactMap { if case .usable = $0.outcome { $0.name } else { nil } }
  }
}
