import EspalierBench
import Testing

@Suite("Rows of a benchmark") struct RowChoiceTests {
  @Test func `without a choice all rows of the small model are measured`() throws {
    let rows = try RowChoice().rows()
    #expect(rows.allSatisfy { $0.scale == .mini })
    #expect(rows.contains(BenchRow(.trainingStep(batch: 8, .frozen), .mini)))
    #expect(rows.contains { $0.work.isOperation })
    #expect(Set(rows).count == rows.count)
  }

  @Test func `a size has UNet, VAE, text encoders, adapter, training and every kind of operation`()
    throws
  {
    for scale in [Scale.mini, .sdxl(512), .sdxl(1024)] {
      let names = try RowChoice(scales: [scale]).rows().map(\.work.rawValue)
      let kinds = OperationShape.Kind.allCases.map(\.rawValue)
      for start in ["unet-2", "vae-decode", "vae-encode", "text-encoders", "adapter"]
        + ["training-step-"] + kinds
      {
        #expect(names.contains { $0.hasPrefix(start) }, "\(start) at \(scale.rawValue)")
      }
    }
  }

  @Test func `only names rows by a part, and single operations can be left out`() throws {
    let rows = try RowChoice(scales: [.sdxl(512), .sdxl(1024)], only: ["unet", "VAE-decode@1024"])
      .rows()
    #expect(rows.map(\.name) == ["unet-2@512", "unet-2@1024", "vae-decode@1024"])
    let parts = try RowChoice(scales: [.sdxl(512)], parts: true).rows()
    #expect(!parts.isEmpty && !parts.contains { $0.work.isOperation })
  }

  @Test func `goals bring their own rows, and none twice`() throws {
    let goals = try RowChoice(goals: true).rows()
    #expect(goals == Goal.all.map(\.row))
    let both = try RowChoice(scales: [.sdxl(1024)], goals: true).rows()
    #expect(Set(both).count == both.count && both.count > goals.count)
  }

  @Test func `a choice without rows names those that there are`() {
    #expect {
      try RowChoice(only: ["conv3d"]).rows()
    } throws: { error in
      "\(error)".contains("--only conv3d") && "\(error)".contains("unet-2@mini")
    }
  }

  @Test func `every row and size is read back from its name`() throws {
    let scales = [Scale.mini, .sdxl(512), .sdxl(1024)]
    for row in try RowChoice(scales: scales).rows() {
      #expect(Work(rawValue: row.work.rawValue) == row.work)
      #expect(Scale(rawValue: row.scale.rawValue) == row.scale)
    }
  }

  @Test(arguments: [
    "unet-0", "unet-", "training-step-1-frozen", "training-step-x", "linear:4096x640",
    "linear:4096x640x0", "conv2d", "",
  ]) func `names of no work are refused`(name: String) {
    #expect(Work(rawValue: name) == nil)
  }

  @Test(arguments: ["0", "100", "-512", "8192", "large"])
  func `sizes that no picture has are refused`(name: String) {
    #expect(Scale(rawValue: name) == nil)
  }
}
