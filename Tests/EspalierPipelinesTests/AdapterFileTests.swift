import EspalierCheckpoints
import EspalierModels
import EspalierPipelines
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("Adapters in either layout") struct AdapterFileTests {
  private let folder: TemporaryFolder
  static let adapters = [
    "adapter_xl", "adapter_xl_second", "adapter_xl_gray", "adapter_full", "adapter_light",
  ]

  init() throws { folder = try temporaryFolder() }

  private func configuration(_ path: String) throws -> T2IAdapterConfiguration {
    try T2IAdapterConfiguration(AdapterSource(path: path).configuration)
  }

  @Test(arguments: adapters)
  func `come back from the other layout as they were`(name: String) throws {
    let path = Fixtures.path(name)
    let (original, back) = (folder.file("original.safetensors"), folder.file("back"))
    try AdapterConversion(AdapterSource(path: path)).write(.original, to: original)
    let names = try SafetensorsFile(path: original).names
    #expect(!names.contains { $0.hasPrefix("adapter.") || $0.contains("resnets") })
    try AdapterConversion(AdapterSource(path: original)).write(.diffusers, to: back)
    #expect(try configuration(back) == configuration(path))
    #expect(
      try Checkpoint(folder: back).contentHash() == Checkpoint(folder: path).contentHash())
  }

  @Test(arguments: adapters)
  func `are read from a single file without any configuration`(name: String) throws {
    let path = Fixtures.path(name)
    let expected = try configuration(path)
    let source = try Checkpoint(folder: path)
    let file = folder.file("adapter.safetensors")
    for rename in [{ $0 }, expected.originalName] as [(String) -> String] {
      try SafetensorsWriter.write(
        source.entries.keys.map { (rename($0), try source.tensor($0)) }, to: file)
      #expect(try configuration(file) == expected)
      let component = try AdapterComponent(folder: file)
      #expect(component.configuration.downscaleFactor == expected.downscaleFactor)
    }
  }

  @Test func `keep what only the configuration tells`() throws {
    // One block in each stage: eight blocks could also be four stages of two.
    let odd = T2IAdapterConfiguration(
      adapterType: .fullXL, inChannels: 3, channels: [4, 4, 8, 8], numResBlocks: 1,
      downscaleFactor: 16)
    let file = folder.file("odd")
    try RandomModel(odd).write(
      to: file, RandomModel.Options(seed: 1, dtype: .float16, maxShardSize: 1 << 30))
    let original = folder.file("odd.safetensors")
    try AdapterConversion(AdapterSource(path: file)).write(.original, to: original)
    #expect(try configuration(original) == odd)
  }

  @Test func `are converted to another type on request`() throws {
    let path = Fixtures.path("adapter_xl")
    let half = folder.file("half")
    try AdapterConversion(AdapterSource(path: path), dtype: .float16).write(.diffusers, to: half)
    let (found, source) = (try Checkpoint(folder: half), try Checkpoint(folder: path))
    for key in source.entries.keys {
      let expected = try source.tensor(key).converted(to: .float16)
      #expect(try found.tensor(key).dtype == .float16)
      #expect(try found.tensor(key).floats() == expected.floats())
    }
  }

  @Test func `never replace what is there`() throws {
    let conversion = try AdapterConversion(AdapterSource(path: Fixtures.path("adapter_xl")))
    let file = folder.file("there.safetensors")
    try AtomicFile.write("mine", to: file)
    #expect(throws: FileError.self) { try conversion.write(.original, to: file) }
    #expect(throws: PipelineError.folderNotEmpty(path: folder.path)) {
      try conversion.write(.diffusers, to: folder.path)
    }
    #expect(try folder.contents() == ["there.safetensors"])
    #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
  }

  @Test func `are refused when they are something else`() throws {
    let vae = Fixtures.path("tiny-sdxl/vae/diffusion_pytorch_model.safetensors")
    let error = #expect(throws: PipelineError.self) { try AdapterSource(path: vae) }
    #expect(error?.description.contains("a VAE in Diffusers' layout") == true)
    #expect(throws: ModelError.self) {
      try AdapterConversion(AdapterSource(path: Fixtures.path("tiny-sdxl/vae")))
    }
  }
}
