import EspalierPipelines
import Foundation

/// The progress of a generation on standard error: one line that is written over on a terminal, else a line now and then.
final class GenerateProgress {
  private let isTerminal = isatty(2) == 1
  private var start: ContinuousClock.Instant?
  private var isLineOpen = false
  private var lastShare = 0

  /// Shows an event.
  func report(_ event: GenerationEvent) {
    switch event {
    case .warning(let text): line("warning: " + text)
    case .stage(let name):
      line(name)
      start = .now
    case .step(let done, let total): share("step", done, total)
    case .decoded(let done, let total): share("picture", done, total)
    }
  }

  private func share(_ what: String, _ done: Int, _ total: Int) {
    var text = "\(what) \(done)/\(total)"
    if let start {
      let elapsed = start.duration(to: .now) / .seconds(1)
      let each = elapsed / Double(done)
      text += String(format: ", %.2f s each, %.0f s left", each, each * Double(total - done))
    }
    if isTerminal {
      FileHandle.standardError.write(Data("\r\(text)\u{1B}[K".utf8))
      isLineOpen = true
      if done == total { line(nil) }
    } else {
      let tenth = done * 10 / max(total, 1)
      if tenth != lastShare || done == total { StandardError.write(text) }
      lastShare = done == total ? 0 : tenth
    }
  }

  private func line(_ text: String?) {
    if isLineOpen { FileHandle.standardError.write(Data("\n".utf8)) }
    isLineOpen = false
    if let text { StandardError.write(text) }
  }
}
