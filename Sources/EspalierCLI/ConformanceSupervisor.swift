import ArgumentParser
import EspalierConformance
import Foundation
import Glibc

/// Runs the cases in a process of their own, so that a plugin that crashes or hangs fails one case only.
struct ConformanceSupervisor {
  /// The worker's command line; the index of its first case is added.
  let arguments: [String]
  /// For one case, in seconds.
  let timeout: Int
  let collector: ConformanceCollector
  /// Workers that may end early before the rest is given up.
  private static let mostRestarts = 20

  /// - Throws: `ConformanceFault`, or `ExitCode` where the worker has told what is wrong.
  func run() throws {
    for _ in 0...Self.mostRestarts {
      let ending = try runWorker(from: collector.next)
      if collector.isDone {
        if let fault = ending.fault { collector.note("the plugin \(fault) when it was shut down") }
        return
      }
      guard let fault = ending.fault ?? (collector.isOpened ? "ended the program" : nil) else {
        return
      }
      guard collector.isOpened else {
        if let status = ending.exitCode { throw ExitCode(status) }
        throw ConformanceFault.endedAtStart(fault)
      }
      if !collector.endRunningCase("the plugin \(fault)") {
        return collector.note("the plugin \(fault) between two cases")
      }
    }
    collector.note("gave up: \(Self.mostRestarts) cases ended the program; the rest was not run")
  }

  /// How a worker ended.
  private struct Ending {
    /// To follow "the plugin"; nil if it ended well.
    var fault: String?
    /// Nil if a signal ended it.
    var exitCode: Int32?
  }

  private func runWorker(from start: Int) throws -> Ending {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = arguments + [String(start)]
    process.standardInput = FileHandle.nullDevice
    // The choice of the device is in the table already.
    process.environment = ["ESPALIER_LOG": "notice"].merging(
      ProcessInfo.processInfo.environment
    ) { $1 }
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let isInTime = receive(from: pipe.fileHandleForReading.fileDescriptor)
    if !isInTime { kill(process.processIdentifier, SIGKILL) }
    process.waitUntilExit()
    if !isInTime { return Ending(fault: "did not answer within \(timeout) s") }
    let status = process.terminationStatus
    if process.terminationReason == .uncaughtSignal {
      return Ending(
        fault: "ended the program by signal \(status) (\(String(cString: strsignal(status))))")
    }
    return Ending(
      fault: status == 0 ? nil : "ended the program with exit code \(status)", exitCode: status)
  }

  /// Hands on messages until the worker closes the pipe.
  ///
  /// - Returns: False if it is silent for too long.
  private func receive(from descriptor: Int32) -> Bool {
    var pending = Data()
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      let ready = poll(&poller, 1, Int32(clamping: timeout * 1000))
      if ready < 0 && errno == EINTR { continue }
      guard ready > 0 else { return false }
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { return true }
      pending.append(contentsOf: chunk[..<count])
      while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
        let line = Data(pending[..<end])
        pending = Data(pending[pending.index(after: end)...])
        if let message = try? ConformanceMessage.decoder.decode(ConformanceMessage.self, from: line)
        {
          collector.receive(message)
        }
      }
    }
  }
}
