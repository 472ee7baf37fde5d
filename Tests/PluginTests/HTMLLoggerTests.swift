import EspalierCheckpoints
import EspalierImages
import Foundation
import TestSupport
import Testing

/// What the files of a report hold; how the page looks is seen by `Tests/Interop/report_page.py`.
@Suite struct HTMLLoggerTests {
  private let folder: TemporaryFolder

  init() throws { folder = try temporaryFolder() }

  private func logger(
    config: [String: JSONValue] = [:], totalSteps: Int? = nil, resumeStep: Int? = nil,
    options: [String: JSONValue] = [:]
  ) throws -> LoggerUnderTest {
    try LoggerUnderTest(
      "html", in: folder.path, project: "circles </script><b>", config: config,
      totalSteps: totalSteps, resumeStep: resumeStep, options: options)
  }

  /// The JSON in an element of the page.
  private func embedded(_ id: String, _ name: String = "report.html") throws -> JSONValue {
    let page = try contents(folder.file(name))
    let start = try #require(page.range(of: "<script type=\"application/json\" id=\"\(id)\">"))
    let rest = page[start.upperBound...]
    let end = try #require(rest.range(of: "</script>"))
    return try JSONValue(parsing: Data(rest[..<end.lowerBound].utf8))
  }

  /// The newest state, as an open page gets it.
  private func data() throws -> JSONValue {
    let text = try contents(folder.file("report-files/data.js"))
    #expect(text.hasPrefix("espalierReport(") && text.hasSuffix(");\n"))
    return try JSONValue(parsing: Data(text.dropFirst("espalierReport(".count).dropLast(3).utf8))
  }

  private func series(_ report: JSONValue, _ name: String) throws -> JSONValue {
    try #require(report["series"]?.array?.first { $0["name"]?.string == name })
  }

  @Test func `page and data hold every value of a short run, settings and how it ended`() throws {
    let logger = try logger(
      config: ["b": .number(2), "a": .string("x"), "unset": .null], totalSteps: 40)
    for step in 1...30 { try logger.log(step, ["loss": 1 / Double(step), "lr": 1e-5, "own": 7]) }
    try logger.close(exitCode: 0)
    for report in [try embedded("report"), try data()] {
      #expect(report["project"]?.string == "circles </script><b>")
      #expect(report["status"]?.string == "finished")
      #expect(report["step"]?.int == 30 && report["total_steps"]?.int == 40)
      #expect(report["series"]?.array?.map { $0["name"]?.string } == ["loss", "lr", "own"])
      let loss = try series(report, "loss")
      #expect(loss["width"]?.int == 1 && loss["low"] == nil)
      #expect(loss["steps"]?.ints == Array(1...30))
      for (step, value) in try #require(loss["mean"]?.doubles).enumerated() {
        #expect(abs(value * Double(step + 1) - 1) < 1e-5)
      }
      let settings = report["settings"]?.array?.map(\.strings)
      #expect(settings == [["a", "x"], ["b", "2"]])
    }
    let page = try contents(folder.file("report.html"))
    #expect(!page.contains("@page") && !page.contains("@report@") && !page.contains("@pictures@"))
    // One file without a network: nothing that a browser would fetch.
    #expect(!page.contains("http://") || !page.contains("src=\"http"))
    #expect(!page.contains("<link") && !page.contains("@import"))
  }

  @Test(arguments: [
    (0, "finished"), (1, "failed"), (3, "failed"), (130, "interrupted"), (143, "interrupted"),
  ])
  func `the page says how the run ended`(code: Int32, status: String) throws {
    let logger = try logger()
    #expect(try embedded("report")["status"]?.string == "running")
    try logger.log(1, ["loss": 1])
    try logger.close(exitCode: code)
    #expect(try embedded("report")["status"]?.string == status)
    #expect(try embedded("report")["exit_code"]?.int == Int(code))
  }

  @Test func `data follow the run, no more often than the user wants`() throws {
    let quick = try logger(options: ["refresh_seconds": .number(0.1)])
    try quick.log(1, ["loss": 1])
    usleep(120_000)
    try quick.log(2, ["loss": 2])
    #expect(try series(try data(), "loss")["steps"]?.ints == [1, 2])
    try quick.log(3, ["loss": 3])
    #expect(try series(try data(), "loss")["steps"]?.ints == [1, 2])
    try quick.flush()
    #expect(try series(try data(), "loss")["steps"]?.ints == [1, 2, 3])
    try quick.close()
    let refused = try #require(
      refusal { _ = try logger(options: ["refresh_seconds": .number(0)]) })
    #expect(refused.message.contains("refresh_seconds"))
  }

  @Test func `a long run stays small, with mean, least and greatest value of each bucket`() throws {
    let count = 100_000
    let values = (1...count).map { sin(Double($0) * 0.7) + 2 + 1000 / Double($0) }
    let logger = try logger(totalSteps: count)
    for (index, value) in values.enumerated() {
      try logger.log(
        index + 1,
        [
          "loss": value, "lr": 1e-5, "grad_norm": value * 3.3, "step_seconds": value / 7,
          "images_per_second": value, "peak_memory_bytes": 1.234567e9 + Double(index),
        ])
    }
    try logger.close(exitCode: 0)
    let report = try data()
    let loss = try series(report, "loss")
    let width = try #require(loss["width"]?.int)
    let steps = try #require(loss["steps"]?.ints)
    #expect((500...1500).contains(steps.count))
    #expect(steps.last == count)
    let (means, lows, highs) = (
      try #require(loss["mean"]?.doubles), try #require(loss["low"]?.doubles),
      try #require(loss["high"]?.doubles)
    )
    for (index, last) in steps.enumerated() {
      // Steps of a bucket have the same quotient; the first one is 1.
      let bucket = values[max(last / width * width - 1, 0)..<last]
      let mean = bucket.reduce(0, +) / Double(bucket.count)
      #expect(abs(means[index] - mean) < 1e-4 * mean)
      #expect(abs(lows[index] - (bucket.min() ?? 0)) < 1e-4 * mean)
      #expect(abs(highs[index] - (bucket.max() ?? 0)) < 1e-4 * (bucket.max() ?? 0))
    }
    #expect(loss["last"]?.double.map { abs($0 - (values.last ?? 0)) < 1e-4 } == true)
    for name in ["report.html", "report-files/data.js"] {
      let size = try FileManager.default.attributesOfItem(atPath: folder.file(name))[.size]
      #expect(try #require(size as? Int) < 512 << 10, Comment(rawValue: name))
    }
  }

  @Test func `values that are no numbers are gaps`() throws {
    let logger = try logger()
    for (step, value) in [1.0, .nan, .infinity, 4].enumerated() {
      try logger.log(step + 1, ["grad_norm": value])
    }
    try logger.close()
    let means = try #require(try series(try data(), "grad_norm")["mean"]?.array)
    #expect(means.map(\.double) == [1, nil, nil, 4])
    #expect(means[1].isNull && means[2].isNull)
  }

  @Test func `pictures are made smaller, lie beside the page and inside it`() throws {
    let logger = try logger(options: ["image_size": .number(64)])
    let large = LoggerUnderTest.Picture("</script><script>", width: 200, height: 100, red: 120)
    let small = LoggerUnderTest.Picture("small", width: 40, height: 64, red: 250)
    try logger.log(10, [large, small])
    try logger.close()
    let set = try #require(try data()["images"]?[0])
    #expect(set["step"]?.int == 10 && set["tag"]?.string == "validation")
    let pictures = try #require(set["images"]?.array)
    #expect(pictures.map { $0["caption"]?.string } == [large.caption, small.caption])
    for (entry, (width, height, red)) in zip(pictures, [(64, 32, 120), (40, 64, 250)]) {
      #expect(entry["width"]?.int == width && entry["height"]?.int == height)
      let name = try #require(entry["file"]?.string)
      let path = folder.file("report-files/" + name)
      let image = try Image(contentsOf: path)
      #expect(image.width == width && image.height == height && image.channels == 3)
      // Green grows from left to right; JPEG is near enough.
      for x in [0, width / 2, width - 1] {
        let pixel = image.bytes[3 * (height / 2 * width + x)..<3 * (height / 2 * width + x) + 3]
        let expected = [red, x * 255 / width, 40]
        #expect(zip(pixel, expected).allSatisfy { abs(Int($0) - $1) <= 12 }, "\(pixel) at \(x)")
      }
      let embedded = try #require(try embedded("pictures")[name]?.string)
      #expect(embedded.hasPrefix("data:image/jpeg;base64,"))
      let bytes = Data(base64Encoded: String(embedded.dropFirst("data:image/jpeg;base64,".count)))
      #expect(bytes == FileManager.default.contents(atPath: path))
    }
  }

  @Test func `of too many pictures those stay that leave the smallest gaps, first and last`() throws
  {
    let logger = try logger(options: ["image_size": .number(2048)])
    // Noise, which does not get small.
    var state: UInt64 = 1
    for step in 1...40 {
      let noise = (0..<3 * 512 * 512).map { _ -> UInt8 in
        state = state &* 6_364_136_223_846_793_005 &+ 1
        return UInt8(truncatingIfNeeded: state >> 56)
      }
      try logger.log(10 * step, [.init(noise: noise, width: 512, height: 512)])
    }
    try logger.close()
    let steps = try #require(try data()["images"]?.array).compactMap { $0["step"]?.int }
    #expect(steps.first == 10 && steps.last == 400)
    #expect((5..<40).contains(steps.count))
    let gaps = zip(steps.dropFirst(), steps).map { $0 - $1 }
    #expect((gaps.max() ?? 0) <= 8 * (gaps.min() ?? 0), "\(steps)")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.file("report-files"))
      .filter { $0.hasSuffix(".jpg") }
    #expect(files.count == steps.count, "what is shown no more is removed")
    let size = try FileManager.default.attributesOfItem(atPath: folder.file("report.html"))[.size]
    #expect(try #require(size as? Int) < 12 << 20)
  }

  @Test func `a resumed run has every row of the earlier part once`() throws {
    let first = try logger()
    for step in 1...9 {
      try first.log(step, ["loss": Double(step)])
      if step % 3 == 0 { try first.log(step, [.init("\(step)", width: 8, height: 8)]) }
    }
    // No end: as if it was killed. What a crash in the middle of a write leaves:
    let path = folder.file("report-files/rows.jsonl")
    try (try contents(path) + "{\"type\"").write(toFile: path, atomically: true, encoding: .utf8)
    let second = try logger(resumeStep: 5)
    #expect(try embedded("report")["status"]?.string == "running")
    #expect(try series(try embedded("report"), "loss")["steps"]?.ints == [1, 2, 3, 4, 5])
    for step in 6...7 { try second.log(step, ["loss": Double(10 * step)]) }
    try second.close(exitCode: 0)
    let loss = try series(try data(), "loss")
    #expect(loss["steps"]?.ints == [1, 2, 3, 4, 5, 6, 7])
    #expect(loss["mean"]?.doubles == [1, 2, 3, 4, 5, 60, 70])
    #expect(try data()["images"]?.array?.map { $0["step"]?.int } == [3])
    #expect(!FileManager.default.fileExists(atPath: folder.file("report-files/validation-6-0.jpg")))
    withExtendedLifetime(first) {}
  }

  @Test func `a new run moves an earlier page and its folder aside`() throws {
    for value in [1.0, 2, 3] {
      let logger = try logger()
      try logger.log(1, ["loss": value])
      try logger.close()
    }
    #expect(
      try folder.contents() == [
        "report-files", "report.1-files", "report.1.html", "report.2-files", "report.2.html",
        "report.html",
      ])
    #expect(try series(try embedded("report", "report.1.html"), "loss")["last"]?.double == 1)
    #expect(try series(try embedded("report"), "loss")["last"]?.double == 3)
    // An open page takes the data of its own run only.
    #expect(
      try embedded("report", "report.1.html")["id"]?.string != embedded("report")["id"]?.string)
  }
}
