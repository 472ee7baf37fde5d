import Foundation

/// A process of its own for each measurement, so that none sees the memory of another.
package struct ChildProcess {
  package let program: String
  package let arguments: [String]
  /// Variables that the process must not inherit, and some with other values.
  package var withoutVariables: [String] = []
  package var variables: [String: String] = [:]

  package init(
    program: String, arguments: [String], withoutVariables: [String] = [],
    variables: [String: String] = [:]
  ) {
    self.program = program
    self.arguments = arguments
    self.withoutVariables = withoutVariables
    self.variables = variables
  }

  /// The path of this program.
  package static func ownPath() throws -> String {
    try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
  }

  /// Runs to the end; standard error goes where ours goes.
  ///
  /// - Returns: Standard output.
  /// - Throws: `ChildProcessError`.
  package func output() throws -> String {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment
      .filter { !withoutVariables.contains($0.key) }
      .merging(variables) { $1 }
    process.standardOutput = pipe
    do { try process.run() } catch {
      throw ChildProcessError.cannotStart(program: program, reason: "\(error)")
    }
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let isKilled = process.terminationReason == .uncaughtSignal
      throw ChildProcessError.failed(
        command: ([program] + arguments).joined(separator: " "),
        end: (isKilled ? "signal " : "status ") + "\(process.terminationStatus)")
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// Runs to the end and reads the last line that was printed.
  ///
  /// - Throws: `ChildProcessError`.
  package func measurement() throws -> Measurement { try decoded(lastLine()) }

  /// What PyTorch's side came to.
  package enum Peer {
    case measured(Measurement)
    /// It was not begun, since it would not fit into memory.
    case refused(String)
  }

  /// Runs PyTorch's script to the end.
  ///
  /// - Throws: `ChildProcessError`.
  package func peerMeasurement() throws -> Peer {
    let line = try lastLine()
    if let found = try? JSONDecoder().decode(MeasurementRefusal.self, from: Data(line.utf8)) {
      return .refused(found.refusal)
    }
    return .measured(try decoded(line))
  }

  private func lastLine() throws -> String {
    try output().split(separator: "\n").last.map(String.init) ?? ""
  }

  private func decoded(_ line: String) throws -> Measurement {
    do {
      return try JSONDecoder().decode(Measurement.self, from: Data(line.utf8))
    } catch {
      throw ChildProcessError.unreadable(program: program, line: line)
    }
  }
}

/// Why a measurement brought no result.
package enum ChildProcessError: Error, CustomStringConvertible {
  case cannotStart(program: String, reason: String)
  case failed(command: String, end: String)
  case unreadable(program: String, line: String)

  package var description: String {
    switch self {
    case .cannotStart(let program, let reason): "cannot start \(program): \(reason)"
    case .failed(let command, let end): "this ended with \(end): \(command)"
    case .unreadable(let program, let line):
      "\(program) printed no measurement but: \(line.isEmpty ? "nothing" : line)"
    }
  }
}
