import EspalierConformance
import Glibc

/// Puts results together, and prints a line for each operation as soon as it is done.
final class ConformanceCollector {
  private let cases: [ConformanceCase]
  private let shapes: [ShapeSet]
  private var report: ConformanceReport?
  private var summary: OperationSummary?
  private var results: [CaseResult] = []
  /// The case that runs now.
  private(set) var running: Int?
  /// The first case of which nothing is known.
  private(set) var next = 0
  private(set) var isDone = false
  /// True if something failed that is no case.
  private(set) var hasFault = false

  init(_ cases: [ConformanceCase], shapes: [ShapeSet]) {
    (self.cases, self.shapes) = (cases, shapes)
  }

  /// True once a device was opened.
  var isOpened: Bool { report != nil }

  /// Takes a message of a worker.
  func receive(_ message: ConformanceMessage) {
    switch message {
    case .opened(let subject):
      guard report == nil else { return }
      report = ConformanceReport(subject, shapes: shapes)
      write(ConformanceTable.head(subject))
    case .started(let index):
      running = index
      open(index)
    case .finished(let index, let result): add(result, at: index)
    case .skipped(let index):
      open(index)
      next = index + 1
    case .done: isDone = true
    }
  }

  /// Notes that a worker ended in the middle of a case.
  ///
  /// - Returns: False if it was in none.
  func endRunningCase(_ fault: String) -> Bool {
    guard let index = running else { return false }
    add(CaseResult(cases[index], endedBy: fault), at: index)
    return true
  }

  /// Prints something that went wrong outside the cases; it makes the command fail.
  func note(_ fault: String) {
    hasFault = true
    closeOperation()
    write("  failed: \(fault)")
  }

  /// Prints the totals.
  ///
  /// - Throws: `ConformanceFault.noAnswer` if no device was opened.
  func finish() throws -> ConformanceReport {
    closeOperation()
    guard let report else { throw ConformanceFault.noAnswer }
    write(ConformanceTable.foot(report))
    return report
  }

  private func add(_ result: CaseResult, at index: Int) {
    open(index)
    summary?.add(result, of: cases[index])
    results.append(result)
    running = nil
    next = index + 1
  }

  /// Begins the operation of a case, unless it is the current one.
  private func open(_ index: Int) {
    let operation = cases[index].operation
    guard summary?.operation != operation.name else { return }
    closeOperation()
    summary = OperationSummary(operation)
  }

  private func closeOperation() {
    guard let finished = summary else { return }
    report?.add(finished, results)
    write(ConformanceTable.row(finished, results))
    summary = nil
    results = []
  }

  /// To standard output at once, also where that is a file or a pipe.
  private func write(_ text: String) {
    print(text)
    fflush(nil)
  }
}
