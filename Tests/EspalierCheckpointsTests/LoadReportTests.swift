import EspalierCheckpoints
import EspalierTensors
import TestSupport
import Testing

@Suite("LoadReport") struct LoadReportTests {
  private let folder: TemporaryFolder

  init() throws { folder = try temporaryFolder() }

  private func report(
    _ inFile: [(String, Shape)], _ required: [(key: String, shape: Shape)]
  ) throws -> LoadReport {
    let path = folder.file("model.safetensors")
    try SafetensorsWriter.write(inFile.map { ($0.0, HostTensor(shape: $0.1)) }, to: path)
    return LoadReport(
      model: "T2IAdapter (full_adapter_xl)", required: required,
      checkpoint: try Checkpoint(file: path).view())
  }

  @Test func `an exact fit passes`() throws {
    let report = try report([("a", [1]), ("b", [2, 3])], [("b", [2, 3]), ("a", [1])])
    #expect(report.fits && report.matched == ["b", "a"])
    try report.check()
  }

  @Test func `every kind of misfit is listed with what was expected and found`() throws {
    let report = try report(
      [("body.0.conv.weight", [1]), ("fine", [1]), ("flat", [6])],
      [("body.0.convs.weight", [1]), ("fine", [1]), ("flat", [2, 3])])
    #expect(report.matched == ["fine"])
    #expect(report.missing.map(\.key) == ["body.0.convs.weight"])
    #expect(report.missing.first?.near == ["body.0.conv.weight"])
    #expect(report.unexpected == ["body.0.conv.weight"])
    #expect(report.wrongShape.map(\.key) == ["flat"])
    #expect(report.wrongShape.first?.expected == [2, 3] && report.wrongShape.first?.found == [6])
    let error = #expect(throws: CheckpointError.mismatch(report)) { try report.check() }
    let text = try #require(error).description
    #expect(text.contains("flat: expected [2, 3], found [6]"))
    #expect(text.contains("near: body.0.conv.weight"))
    #expect(text.contains("1 tensors fit, 1 have another shape, 1 are missing, 1 are not known"))
  }

  @Test func `an adapter for SD 1_5 is recognised`() throws {
    let key = "adapter.conv_in.weight"
    let report = try report([(key, [320, 192, 3, 3])], [(key, [320, 768, 3, 3])])
    #expect(
      report.description.contains(
        "192 = 3·8², a downscale factor of 8: this is an adapter for SD 1.5"))
  }

  @Test func `an adapter for gray images is recognised`() throws {
    let key = "adapter.conv_in.weight"
    let report = try report([(key, [320, 256, 3, 3])], [(key, [320, 768, 3, 3])])
    #expect(report.description.contains("control images of 1 channel."))
  }

  @Test func `another component is recognised, and the message stays short`() throws {
    let report = try report(
      (0..<500).map { ("encoder.\($0)", [1]) }, (0..<500).map { ("down_blocks.\($0)", [1]) })
    #expect(report.description.contains("no name fits"))
    #expect(report.description.split(separator: "\n").count < 25)
  }
}
