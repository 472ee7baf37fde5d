import EspalierPluginKit
import LogFiles
import PluginPNG

/// The history of a run as `metrics.jsonl`: one JSON object per line, see `RunRow`; pictures lie beside it
/// as PNG files.
///
/// A run that goes on drops rows after its resume step, with their pictures. A new run moves an earlier file
/// aside to `metrics.1.jsonl`, and keeps its pictures apart from the earlier one's, which that file names.
final class JSONLinesMetricLogger: MetricLoggerPlugin {
  static let name = "jsonl"
  static let version = "1.0.0"
  static let summary = "One JSON object per line in metrics.jsonl, pictures as files beside it"
  static let keepsImages = PluginOption.bool("images", default: true, "Write pictures as PNG files")
  static let options: [any DescribedOption] = [keepsImages]

  private static let fileName = "metrics.jsonl"
  private let directory: LogFolder
  private let rows: RowFile
  private let keepsImages: Bool
  /// Where this run's pictures are, relative to the directory; made when there are some.
  private var imagesName: String?
  private var lastStep: Int64

  init(_ run: LoggerRun) throws(PluginError) {
    let directory = try LogFolder(run.directory, owner: "jsonl logger")
    keepsImages = try run.options.value(of: Self.keepsImages)
    let resumeStep = run.resumeStep ?? -1
    if resumeStep < 0 { try directory.moveAside([Self.fileName]) }
    var imagesName: String?
    rows = try RowFile(
      directory, Self.fileName, keepingUpTo: resumeStep,
      visit: { row in
        if case .images(_, _, _, let pictures) = row, let file = pictures.first?.file {
          imagesName = file.lastIndex(of: "/").map { String(file[..<$0]) }
        }
      },
      drop: { row in
        guard case .images(_, _, _, let pictures) = row else { return }
        for picture in pictures { directory.remove(picture.file) }
      })
    self.directory = directory
    self.imagesName = imagesName
    lastStep = max(resumeStep, 0)
    try rows.append(
      .run(
        step: lastStep, time: Clock.now, project: run.project, config: run.config))
  }

  func scalars(
    step: Int64, _ values: [(name: String, value: Double)]
  ) throws(PluginError) {
    lastStep = step
    try rows.append(
      .scalars(
        step: step, time: Clock.now, values.map { RunRow.Metric(name: $0.name, value: $0.value) }))
  }

  func images(step: Int64, tag: String, _ images: [LoggedImage]) throws(PluginError) {
    guard keepsImages else { return }
    let folder = try directory.folder(try imagesFolder())
    var pictures: [RunRow.Picture] = []
    for (index, image) in images.enumerated() {
      let name = RunRow.pictureName(tag: tag, step: step, index: index) + ".png"
      try folder.replace(name, with: try PNGFile.encode(image))
      pictures.append(
        RunRow.Picture(
          file: (imagesName ?? "") + "/" + name, caption: image.caption, width: image.width,
          height: image.height))
    }
    try rows.append(.images(step: step, time: Clock.now, tag: tag, pictures))
  }

  func text(step: Int64, tag: String, text: String) throws(PluginError) {
    try rows.append(.text(step: step, time: Clock.now, tag: tag, text))
  }

  func flush() throws(PluginError) { try rows.sync() }

  func finish(exitCode: Int32) throws(PluginError) {
    try rows.append(.end(step: lastStep, time: Clock.now, exitCode: exitCode))
  }

  func close() throws(PluginError) { try rows.sync() }

  /// The name of this run's folder of pictures: the one that its rows name, or else the first that is free.
  private func imagesFolder() throws(PluginError) -> String {
    if let imagesName { return imagesName }
    var name = "metrics-images"
    var number = 1
    while directory.contains(name) {
      number += 1
      name = "metrics-images-\(number)"
    }
    imagesName = name
    return name
  }
}
