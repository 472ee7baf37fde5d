import EspalierCheckpoints
import EspalierModels
import EspalierPipelines
import EspalierPresets
import EspalierTensors
import EspalierTokenizers
import Foundation
import TestSupport
import Testing

@Suite("Models with random weights") struct RandomModelTests {
  private let folder: TemporaryFolder

  init() throws { folder = try temporaryFolder() }

  private func mini() throws -> RandomModel {
    try RandomModel(#require(ModelPreset.named("mini")))
  }

  private func options(
    seed: UInt64 = 1, dtype: DType = .float16, variant: String? = nil, size: Int = 1 << 40
  ) -> RandomModel.Options {
    RandomModel.Options(seed: seed, dtype: dtype, variant: variant, maxShardSize: size)
  }

  private static let networks: [DiffusionFolder.Component] = [
    .unet, .vae, .textEncoder, .textEncoder2,
  ]

  /// The hashes of all weights.
  private func hashes(_ path: String, variant: String? = nil) throws -> [String] {
    let model = try DiffusionFolder(path: path, variant: variant)
    return try Self.networks.map { try model.checkpoint(of: $0).contentHash().description }
  }

  @Test func `have as many numbers as SDXL`() throws {
    let sdxl = try RandomModel(#require(ModelPreset.named("sdxl-base-1.0")))
    #expect(sdxl.parameterCount == 2_567_463_684 + 83_653_863 + 123_060_480 + 694_659_840)
    #expect(RandomModel(.sdxl).parameterCount == 79_028_160)
  }

  @Test func `fill the networks that their configurations describe`() throws {
    let path = folder.file("mini")
    try mini().write(to: path, options())
    let model = try DiffusionFolder(path: path)
    #expect(throws: Never.self) {
      _ = try model.denoiser()
      _ = try model.autoencoder()
      _ = try model.textEncoder(.textEncoder)
      _ = try model.textEncoder(.textEncoder2)
      _ = try model.tokenizer(.tokenizer)
      _ = try model.scheduler()
    }
    for component in Self.networks {
      let checkpoint = try model.checkpoint(of: component)
      #expect(try checkpoint.firstNonFinite() == nil)
      #expect(checkpoint.entries.values.allSatisfy { $0.dtype == .float16 })
    }
    // What is not weights is what the demo's base model has.
    let base = Fixtures.project + "/Sources/EspalierDemo/BaseModel"
    for name in try FileManager.default.subpathsOfDirectory(atPath: path)
    where name.hasSuffix(".json") || name.hasSuffix(".txt") {
      #expect(
        FileManager.default.contentsEqual(atPath: path + "/" + name, andPath: base + "/" + name))
    }
  }

  @Test func `have the same bytes for the same seed only`() throws {
    let paths = ["a", "b", "c"].map(folder.file)
    for (path, seed) in zip(paths, [7, 7, 8] as [UInt64]) {
      try mini().write(to: path, options(seed: seed))
    }
    let found = try paths.map { try hashes($0) }
    #expect(found[0] == found[1])
    #expect(Set(found[0] + found[2]).count == 8)
    let files = try FileManager.default.subpathsOfDirectory(atPath: paths[0])
    #expect(try FileManager.default.subpathsOfDirectory(atPath: paths[1]) == files)
    for file in files where file.contains(".") {
      #expect(
        FileManager.default.contentsEqual(
          atPath: paths[0] + "/" + file, andPath: paths[1] + "/" + file), "\(file)")
    }
  }

  @Test(arguments: [DType.float16, .bfloat16])
  func `of a smaller type are those of f32, rounded`(dtype: DType) throws {
    let (full, half) = (folder.file("full"), folder.file("half"))
    try mini().write(to: full, options(dtype: .float32))
    try mini().write(to: half, options(dtype: dtype))
    for component in Self.networks {
      let source = try DiffusionFolder(path: full).checkpoint(of: component)
      let found = try DiffusionFolder(path: half).checkpoint(of: component)
      for key in source.entries.keys {
        let expected = try source.tensor(key).converted(to: dtype)
        #expect(ContentHash(try found.tensor(key)) == ContentHash(expected), "\(key)")
      }
    }
  }

  @Test func `are the same in several files, and under a variant's names`() throws {
    let (one, many) = (folder.file("one"), folder.file("many"))
    try mini().write(to: one, options())
    try mini().write(to: many, options(variant: "fp16", size: 4_000_000))
    #expect(try hashes(one) == hashes(many, variant: "fp16"))
    let unet = try FileManager.default.contentsOfDirectory(atPath: many + "/unet")
    #expect(unet.contains("diffusion_pytorch_model.safetensors.index.fp16.json"))
    #expect(unet.contains("diffusion_pytorch_model.fp16-00001-of-00005.safetensors"))
    #expect(throws: Never.self) { try DiffusionFolder(path: many, variant: "fp16").denoiser() }
    let vae = try FileManager.default.contentsOfDirectory(atPath: many + "/vae")
    #expect(vae.sorted() == ["config.json", "diffusion_pytorch_model.fp16.safetensors"])
  }

  @Test func `are not written over anything`() throws {
    try AtomicFile.write("mine", to: folder.file("taken"))
    #expect(throws: PipelineError.folderNotEmpty(path: folder.path)) {
      try mini().write(to: folder.path, options())
    }
    #expect(throws: FileError.self) { try mini().write(to: folder.file("taken"), options()) }
    #expect(try folder.contents() == ["taken"])
    try Folder.make(folder.file("empty"))
    try RandomModel(Self.small).write(to: folder.file("empty/"), options())
    #expect(try folder.contents() == ["empty", "taken"])
  }

  @Test func `are refused before anything is written if the disk is too small`() throws {
    let huge = T2IAdapterConfiguration(
      adapterType: .fullXL, inChannels: 3, channels: [Int](repeating: 65_536, count: 8),
      numResBlocks: 100, downscaleFactor: 16)
    let error = #expect(throws: PipelineError.self) {
      try RandomModel(huge).write(to: folder.file("huge"), options())
    }
    guard case .diskSpace(let place, let needed, let available)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(place == folder.path && needed > available && available > 0)
    #expect(error?.description.contains("TiB") == true)
    #expect(try folder.contents().isEmpty)
  }

  @Test func `leave nothing behind when they are stopped`() throws {
    // A run that was killed has left a part.
    try Folder.make(folder.file("mini.unfinished/unet"))
    var questions = 0
    #expect(throws: PipelineError.cancelled) {
      try mini().write(
        to: folder.file("mini"), options(),
        isCancelled: {
          questions += 1
          return questions > 100
        })
    }
    #expect(try folder.contents().isEmpty)
  }

  private static let small = T2IAdapterConfiguration(
    adapterType: .fullXL, inChannels: 1, channels: [8, 8, 16, 16], numResBlocks: 2,
    downscaleFactor: 16)
}

@Suite("SDXL's preset") struct PresetTests {
  private let preset: ModelPreset

  init() throws { preset = try #require(ModelPreset.named("sdxl-base-1.0")) }

  @Test func `has the tokenizers of CLIP, the second of which pads with an exclamation mark`()
    throws
  {
    func tokenizer(_ folder: String) throws -> CLIPTokenizer {
      let names = preset.paths.filter { $0.hasPrefix(folder + "/") }
      #expect(names.count == 4)
      let files = names.map { (String($0.dropFirst(folder.count + 1)), preset.bytes(of: $0) ?? []) }
      return try CLIPTokenizer(files: Dictionary(uniqueKeysWithValues: files), title: folder)
    }
    let (first, second) = (try tokenizer("tokenizer"), try tokenizer("tokenizer_2"))
    #expect(first.vocabularySize == 49408 && second.vocabularySize == 49408)
    #expect(first.padTokenID == 49407 && second.padTokenID == 0)
    #expect(first.tokenize("a house by the sea") == [320, 1212, 638, 518, 2102])
    #expect(second.tokenize("a house by the sea") == [320, 1212, 638, 518, 2102])
  }

  @Test func `has what is in the sources`() throws {
    let files = try FileManager.default.subpathsOfDirectory(atPath: Fixtures.sdxlFolder)
      .filter { $0.hasSuffix(".json") || $0.hasSuffix(".txt") }
    #expect(preset.paths.count == files.count + 2)  // the second tokenizer's vocabulary and merges
    for file in files {
      let url = URL(fileURLWithPath: Fixtures.sdxlFolder + "/" + file)
      #expect(preset.bytes(of: file) == Array(try Data(contentsOf: url)), "\(file)")
    }
  }

  @Test func `is the only one of its name`() {
    #expect(ModelPreset.all.map(\.name) == ["sdxl-base-1.0", "mini"])
    #expect(ModelPreset.named("sdxl") == nil)
    #expect(throws: CheckpointError.self) { try preset.json("unet/nothing.json") }
  }
}
