import EspalierHost
import Foundation
import Testing

@Suite("MetricLogger") struct MetricLoggerTests {
  private func logger(
    _ flags: [String] = []
  ) throws -> (workshop: Workshop, logger: MetricLogger, file: String) {
    let workshop = try Workshop()
    try workshop.build("logger", "libespalier-logger-lines.so", flags)
    let file = workshop.folder + "/metrics"
    return (workshop, try workshop.registry().logger(named: "lines", run: file), file)
  }

  private func text(_ file: String) throws -> String {
    try String(contentsOfFile: file, encoding: .utf8)
  }

  @Test func `records arrive in order, on one thread`() throws {
    let (workshop, logger, file) = try logger()
    logger.scalars(step: 1, [("train/loss", 0.5), ("lr", 1e-4)])
    logger.images(
      step: 1, tag: "validation",
      [MetricImage(caption: "a house", width: 2, height: 1, rgb: [1, 2, 3, 4, 5, 6])])
    logger.text(step: 2, tag: "note", "hello")
    #expect(logger.flush())
    #expect(
      try text(file)
        == """
        open
        1 train/loss=0.5 lr=0.0001
        1 image validation/0 'a house' 2x1 6
        2 text note 'hello'

        """)
    for step in 3..<200 { logger.scalars(step: step, [("x", Double(step))]) }
    #expect(logger.isEnabled)
    #expect(logger.close())
    #expect(!logger.isEnabled)
    logger.scalars(step: 999, [("late", 1)])
    #expect(logger.close())
    let lines = try text(file).split(separator: "\n")
    #expect(lines.count == 4 + 197 + 1)
    #expect(lines.last == "close")
    withExtendedLifetime(workshop) {}
  }

  @Test func `a logger of boundary 1.2 gets images together, lines, and the end of the run`() throws
  {
    let (workshop, logger, file) = try logger(["-DSINCE_1_2"])
    let pictures = [
      MetricImage(caption: "a house", width: 2, height: 1, rgb: [1, 2, 3, 4, 5, 6]),
      MetricImage(caption: "a tree", width: 1, height: 1, rgb: [7, 8, 9]),
    ]
    logger.images(step: 1, tag: "validation", pictures)
    logger.images(step: 1, tag: "none", [])
    logger.console(.error, line: "saved")
    #expect(logger.flush())
    #expect(!logger.isStopRequested)
    logger.scalars(step: 7, [("loss", 1)])
    #expect(logger.flush())
    #expect(logger.isStopRequested)
    #expect(logger.close(exitCode: 3))
    #expect(!logger.isStopRequested)
    #expect(
      try text(file)
        == """
        open
        1 images validation 'a house' 2x1 6 'a tree' 1x1 9
        1 images none
        2 line saved
        7 loss=1
        finish 3
        close

        """)
    withExtendedLifetime(workshop) {}
  }

  @Test func `a logger that fails is switched off and the run goes on`() throws {
    let (workshop, logger, file) = try logger(["-DSCALARS_FAIL"])
    for step in 1...5 { logger.scalars(step: step, [("loss", 1)]) }
    #expect(logger.flush())
    #expect(!logger.isEnabled)
    logger.scalars(step: 6, [("loss", 1)])
    #expect(logger.close())
    #expect(try text(file) == "open\n1 loss=1\nclose\n")
    withExtendedLifetime(workshop) {}
  }

  @Test func `a logger that cannot start is switched off`() throws {
    let (workshop, logger, file) = try logger(["-DOPEN_FAILS"])
    logger.scalars(step: 1, [("loss", 1)])
    #expect(logger.flush())
    #expect(!logger.isEnabled)
    #expect(logger.close())
    #expect(!FileManager.default.fileExists(atPath: file))
    withExtendedLifetime(workshop) {}
  }

  @Test func `a logger that hangs neither blocks nor grows without bound`() throws {
    let (workshop, logger, _) = try logger(["-DHANGS"])
    let clock = ContinuousClock()
    let recording = clock.measure {
      for step in 0..<5000 { logger.scalars(step: step, [("loss", 1)]) }
    }
    #expect(recording < .seconds(1))
    let closing = clock.measure {
      #expect(!logger.flush(waitingAtMost: 0.05))
      #expect(!logger.close(waitingAtMost: 0.05))
    }
    #expect(closing < .seconds(1))
    withExtendedLifetime(workshop) {}
  }

  @Test func `an unknown logger is answered with the names that there are`() throws {
    let workshop = try Workshop()
    try workshop.build("logger", "libespalier-logger-lines.so")
    #expect(
      throws: PluginError.unknown(
        .logger, name: "csw", available: ["lines"], folders: [workshop.folder + "/."])
    ) {
      try workshop.registry().logger(named: "csw", run: "{}")
    }
  }
}
