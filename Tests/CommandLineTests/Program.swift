import Foundation
import Testing

/// The program `espalier` in the tests' own folder.
enum Program {
  struct Result {
    /// The exit code, or the signal's number if a signal ended the program.
    let status: Int32
    /// True if a signal ended it that it did not handle.
    let isKilled: Bool
    let output: String
    let error: String
  }

  /// Its path.
  static var path: String {
    let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return tests.deletingLastPathComponent().appendingPathComponent("espalier").path
  }

  /// Runs it to its end.
  ///
  /// - Parameter environment: Replaces variables of this process; an empty one is removed.
  static func run(
    _ arguments: [String], in directory: String? = nil, environment: [String: String] = [:]
  ) throws -> Result {
    try RunningProgram(path, arguments, in: directory, environment: environment).result()
  }

  /// Starts it.
  static func start(
    _ arguments: [String], environment: [String: String] = [:]
  ) throws -> RunningProgram {
    try RunningProgram(path, arguments, environment: environment)
  }
}

/// A program that was started; its output goes to files, since a pipe that nobody reads can fill up.
final class RunningProgram {
  private let process = Process()
  private let files: [URL]

  init(
    _ program: String, _ arguments: [String], in directory: String? = nil,
    environment: [String: String] = [:]
  ) throws {
    if !environment.isEmpty {
      process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        .filter { !$0.value.isEmpty }
    }
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
    let folder = FileManager.default.temporaryDirectory
    files = ["out", "err"].map { folder.appendingPathComponent("\(UUID().uuidString).\($0)") }
    for file in files { try Data().write(to: file) }
    process.standardOutput = try FileHandle(forWritingTo: files[0])
    process.standardError = try FileHandle(forWritingTo: files[1])
    process.standardInput = FileHandle.nullDevice
    try process.run()
  }

  deinit { for file in files { try? FileManager.default.removeItem(at: file) } }

  var isRunning: Bool { process.isRunning }

  /// What it has written to standard error so far.
  var error: String {
    (try? String(contentsOf: files[1], encoding: .utf8)) ?? ""
  }

  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  /// Limits the size of the files that it writes from now on, as `ulimit -f` does from the start; with util-linux's
  /// program, since Swift's Glibc lacks the call.
  func limitFiles(toBytes size: Int) throws {
    let arguments = ["--pid", "\(process.processIdentifier)", "--fsize=\(size)"]
    let result = try RunningProgram("/usr/bin/prlimit", arguments).result()
    #expect(result.status == 0, Comment(rawValue: result.error))
  }

  /// Waits for the end.
  func result() throws -> Program.Result {
    process.waitUntilExit()
    let texts = try files.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
    return Program.Result(
      status: process.terminationStatus, isKilled: process.terminationReason == .uncaughtSignal,
      output: texts[0], error: texts[1])
  }
}
