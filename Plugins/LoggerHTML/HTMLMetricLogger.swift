import EspalierPluginKit
import LogFiles

/// A page that shows a run while it goes on, and afterwards without anything else beside it: curves,
/// pictures by step, settings.
///
/// `report.html` holds all that it shows. Since that takes a while to write with many pictures, it is written
/// at the start, at the end and now and then; in between, an open page takes the newest state from a small
/// script in the folder beside it. Every row goes to a history in that folder first, so that a run that goes on
/// after a crash has all of them.
final class HTMLMetricLogger: MetricLoggerPlugin {
  static let name = "html"
  static let version = "1.0.0"
  static let summary = "One page with curves and pictures, report.html, that follows the run"
  static let refreshSeconds = PluginOption.number(
    "refresh_seconds", default: 3, where: { 0.1...3600 ~= $0 }, "a number from 0.1 to 3600",
    "How often an open page gets news, at most")
  static let imageSize = PluginOption.int(
    "image_size", default: 512, in: 16...8192, "The longest side of the page's pictures, in pixels")
  static let options: [any DescribedOption] = [refreshSeconds, imageSize]

  /// The page itself is written no more often than this.
  private static let pageSeconds = 60.0
  private let files: ReportFiles
  private let history: RowFile
  private let data: ReportData
  private let longestSide: Int
  private var report = Report()
  private var dataWritten = ContinuousClock.now
  private var pageWritten = ContinuousClock.now

  init(_ run: LoggerRun) throws(PluginError) {
    let directory = try LogFolder(run.directory, owner: "html logger")
    data = ReportData(
      totalSteps: run.totalSteps, refreshSeconds: try run.options.value(of: Self.refreshSeconds))
    longestSide = try run.options.value(of: Self.imageSize)
    let files = try ReportFiles(directory, isNew: run.resumeStep == nil)
    var rows: [RunRow] = []
    history = try files.history(keepingUpTo: run.resumeStep ?? -1) { rows.append($0) }
    self.files = files
    for row in rows { try take(row) }
    try add(
      .run(
        step: run.resumeStep ?? 0, time: Clock.now,
        project: run.project,
        config: run.config))
    try writeData()
    try writePage(survivesPowerCut: false)
  }

  func scalars(
    step: Int64, _ values: [(name: String, value: Double)]
  ) throws(PluginError) {
    try add(
      .scalars(
        step: step, time: Clock.now, values.map { RunRow.Metric(name: $0.name, value: $0.value) }))
    try writeWhatIsDue()
  }

  func images(step: Int64, tag: String, _ images: [LoggedImage]) throws(PluginError) {
    guard !images.isEmpty else { return }
    var pictures: [RunRow.Picture] = []
    for (index, image) in images.enumerated() {
      let picture = try SmallPicture(image, longestSide: longestSide)
      let name = RunRow.pictureName(tag: tag, step: step, index: index) + ".jpg"
      try files.write(picture, name)
      pictures.append(
        RunRow.Picture(
          file: name, caption: image.caption, width: picture.width, height: picture.height))
    }
    try add(.images(step: step, time: Clock.now, tag: tag, pictures))
    try writeWhatIsDue()
  }

  func flush() throws(PluginError) {
    try history.sync()
    try writeData()
  }

  func finish(exitCode: Int32) throws(PluginError) {
    try add(.end(step: report.step, time: Clock.now, exitCode: exitCode))
  }

  func close() throws(PluginError) {
    try history.sync()
    try writeData()
    try writePage(survivesPowerCut: true)
  }

  private func add(_ row: RunRow) throws(PluginError) {
    try history.append(row)
    try take(row)
  }

  /// Takes a row into the report, with its pictures as far as their files are there.
  private func take(_ row: RunRow) throws(PluginError) {
    report.add(row)
    guard case .images(let step, _, let tag, let pictures) = row else { return }
    var byteCount = 0
    for picture in pictures {
      // What had to make room is there no more.
      guard let file = try files.picture(picture.file) else { return }
      byteCount += file.count
    }
    files.remove(
      report.pictures.add(
        PictureSets.PictureSet(step: step, tag: tag, pictures: pictures, byteCount: byteCount)))
  }

  private func writeWhatIsDue() throws(PluginError) {
    let now = ContinuousClock.now
    if now - dataWritten >= .seconds(data.refreshSeconds) { try writeData() }
    if now - pageWritten >= .seconds(Self.pageSeconds) { try writePage(survivesPowerCut: false) }
  }

  private func writeData() throws(PluginError) {
    try files.writeData(data.json(report))
    dataWritten = .now
  }

  private func writePage(survivesPowerCut: Bool) throws(PluginError) {
    try files.writePage(
      data.json(report), report.pictures.sets, survivesPowerCut: survivesPowerCut)
    pageWritten = .now
  }
}
