import Espalier
import Foundation

/// Shows a training run: a bar on a terminal, now and then a line elsewhere. All on standard error.
final class TrainProgress: TrainingObserver {
  private let isTerminal = isatty(2) == 1
  private var hasOpenLine = false
  private var lastLine = ContinuousClock.now - .seconds(60)
  private var lastPhase = ""
  private var console: TrainingConsole?
  /// Where a profile goes.
  private let profile: String?

  init(profile: String? = nil) { self.profile = profile }

  func opened(_ console: TrainingConsole) { self.console = console }

  func preparing(_ what: String, done: Int, total: Int) {
    let isEnd = done == total
    guard isTerminal || isEnd || what != lastPhase || isDue(10) else { return }
    lastPhase = isEnd ? "" : what
    show("\(what): \(done) of \(total)", final: isEnd)
  }

  func planned(_ plan: RunPlan, on device: ComputeDevice) {
    note(PlanReport(plan, on: device, measures: .longRuns).outline)
  }

  func starting(_ outline: TrainingOutline) {
    note(
      """
      device   \(outline.device)
      trained  \(outline.trainedParameters) parameters in f32, \(ByteCount(outline.stateBytes)) with gradients and moments
      frozen   \(outline.frozenParameters) parameters, \(ByteCount(outline.weightBytes)), \(outline.weightType)
      memory   \(ByteCount(outline.arenaBytes)) for temporaries at the peak of a step
      data     \(outline.sampleCount) samples
      steps    \(outline.firstStep) to \(outline.totalSteps)
      """)
  }

  func stepped(_ step: TrainingStepReport) {
    let isEnd = step.step == step.totalSteps
    guard isTerminal || isEnd || step.step == 1 || isDue(10) else { return }
    var text = "\(Self.bar(step.step, step.totalSteps)) \(step.step)/\(step.totalSteps)"
    text += String(
      format: "  loss %.4f  lr %.2e  %.1f images/s", step.loss, step.learningRate,
      step.imagesPerSecond)
    text += "  \(Self.duration(step.secondsLeft)) left  \(ByteCount(ProcessMemory.peakByteCount))"
    if isEnd || step.step == 1 || isDue(10) { console?.write(text) }
    show(text, final: isEnd)
  }

  /// A profile that cannot be written is no reason to end a run.
  func profiled(_ profile: ExecutionProfile) {
    guard let path = self.profile else { return }
    do {
      note(try ProfileTrace.write(profile, to: path))
    } catch {
      note("warning: no profile: \(error)")
    }
  }

  func note(_ message: String) {
    endLine()
    StandardError.write(message)
    for line in message.split(separator: "\n") { console?.write(String(line)) }
  }

  /// The closing lines.
  func finish(_ summary: TrainingSummary) {
    endLine()
    if !summary.isInterrupted {
      StandardError.write(
        String(
          format: "trained to step %d in %.1f s (%.1f images/s), peak memory %@", summary.step,
          summary.trainingSeconds, summary.imagesPerSecond,
          "\(ByteCount(summary.peakMemoryBytes))"))
      print(summary.output)
    }
  }

  private func isDue(_ seconds: Int) -> Bool { ContinuousClock.now - lastLine >= .seconds(seconds) }

  private func show(_ text: String, final: Bool) {
    lastLine = ContinuousClock.now
    guard isTerminal else { return StandardError.write(text) }
    fputsToStandardError("\r\u{1B}[K" + text)
    hasOpenLine = true
    if final { endLine() }
  }

  private func endLine() {
    if hasOpenLine { fputsToStandardError("\n") }
    hasOpenLine = false
  }

  private func fputsToStandardError(_ text: String) {
    FileHandle.standardError.write(Data(text.utf8))
  }

  private static func bar(_ done: Int, _ total: Int) -> String {
    let width = 24
    let filled = total > 0 ? min(done * width / total, width) : width
    return "[" + String(repeating: "█", count: filled)
      + String(repeating: "·", count: width - filled) + "]"
  }

  private static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.isFinite ? max(seconds, 0) : 0)
    return whole >= 3600
      ? String(format: "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
      : String(format: "%d:%02d", whole / 60, whole % 60)
  }
}
