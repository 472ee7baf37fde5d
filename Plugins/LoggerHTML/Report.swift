import EspalierPluginKit
import LogFiles

/// What the page shows of a run, built up row by row.
struct Report {
  enum Status: String {
    case running, finished, interrupted, failed
  }

  /// Which run this is, so that a page does not take in the data of another.
  private(set) var id = ""
  private(set) var status = Status.running
  private(set) var exitCode: Int32 = 0
  private(set) var step: Int64 = 0
  private(set) var project = ""
  private(set) var settings = JSONValue.null
  private(set) var series: [(name: String, values: Series)] = []
  var pictures = PictureSets()
  /// When the run was begun first, and when it told something last.
  private(set) var begun = 0.0
  private(set) var updated = 0.0
  /// Seconds of the parts of the run before the current one, and where that began.
  private var earlierSeconds = 0.0
  private var part: (step: Int64, time: Double) = (0, 0)

  /// Takes in a row; pictures are added by whoever knows their files.
  mutating func add(_ row: RunRow) {
    switch row {
    case .run(let step, let time, let project, let config):
      if begun == 0 {
        begun = time
        id = "run \(Int(time * 1000))"
      } else {
        earlierSeconds += updated - part.time
      }
      part = (step, time)
      (self.step, self.project, settings, status) = (step, project, config, .running)
    case .scalars(let step, _, let metrics):
      self.step = step
      for metric in metrics { add(metric, step: step) }
    case .end(_, _, let exitCode):
      self.exitCode = exitCode
      status = exitCode == 0 ? .finished : exitCode > 128 ? .interrupted : .failed
    case .images, .text: break
    }
    updated = row.time
  }

  private mutating func add(_ metric: RunRow.Metric, step: Int64) {
    if let index = series.firstIndex(where: { $0.name == metric.name }) {
      series[index].values.add(step: step, metric.value)
    } else {
      var values = Series()
      values.add(step: step, metric.value)
      series.append((metric.name, values))
    }
  }

  /// Seconds that the run has taken, without the time between its parts.
  var elapsed: Double { earlierSeconds + updated - part.time }

  /// Seconds until the last step at the speed of this part of the run, nil if that is not known.
  func secondsLeft(totalSteps: Int64?) -> Double? {
    guard let totalSteps, step > part.step, updated > part.time else { return nil }
    return (updated - part.time) / Double(step - part.step) * Double(max(totalSteps - step, 0))
  }
}
