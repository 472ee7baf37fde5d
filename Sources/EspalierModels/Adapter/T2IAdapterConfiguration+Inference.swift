public import EspalierCheckpoints
import EspalierTensors

extension T2IAdapterConfiguration {
  /// Under this name a file in the authors' layout may carry its configuration, which Diffusers keeps beside.
  public static let metadataKey = "t2i_adapter_config"

  /// The configuration that a file's metadata carries, or the one that its tensors show.
  ///
  /// - Returns: Nil if the tensors are not an adapter's.
  /// - Throws: `CheckpointError.configuration` for metadata that cannot be used.
  public init?(file: SafetensorsFile) throws(CheckpointError) {
    if let text = file.metadata[Self.metadataKey] {
      self = try T2IAdapterConfiguration(
        JSONObject(parsing: text.utf8, path: "\(file.path) (\(Self.metadataKey))"))
    } else {
      self.init(inferredFrom: file.entries)
    }
  }

  /// The configuration that names and shapes of the tensors show, in Diffusers' layout or in the authors'.
  ///
  /// A `full_adapter` and a `full_adapter_xl` differ in no tensor: those made for SDXL unshuffle by 16, the
  /// others by 8. The authors' layout does not tell where stages end: they have two blocks, as all published ones.
  ///
  /// - Returns: Nil if the tensors are not an adapter's.
  public init?(inferredFrom entries: [String: TensorEntry]) {
    let tensors = Tensors(entries)
    if tensors.dims("body.0.out_conv.weight") != nil {
      self.init(light: tensors)
    } else {
      self.init(full: tensors)
    }
  }

  /// True if the names are those of the adapters' authors.
  public static func hasOriginalNames(_ entries: [String: TensorEntry]) -> Bool {
    Tensors(entries).isOriginal
  }

  /// An adapter's tensors without the `adapter.` of Diffusers.
  private struct Tensors {
    private let entries: [String: TensorEntry]
    private let prefix: String

    init(_ entries: [String: TensorEntry]) {
      self.entries = entries
      prefix = entries.keys.contains { $0.hasPrefix("adapter.") } ? "adapter." : ""
    }

    var isOriginal: Bool { prefix.isEmpty }

    /// The sizes of a kernel.
    func dims(_ name: String) -> [Int]? {
      entries[prefix + name].flatMap { $0.shape.rank == 4 ? $0.shape.dims : nil }
    }

    /// Output channels of the kernels whose names have 0, 1, 2, … in the place of the `#`.
    func outputs(_ pattern: String) -> [Int] {
      let parts = pattern.split(separator: "#", maxSplits: 1)
      var result: [Int] = []
      while let dims = dims(parts[0] + String(result.count) + parts[1]) { result.append(dims[0]) }
      return result
    }
  }

  private init?(light tensors: Tensors) {
    let blocks = tensors.isOriginal ? "body" : "resnets"
    let resnets = tensors.outputs("body.0.\(blocks).#.block1.weight")
    let outputs = tensors.outputs("body.#.out_conv.weight")
    guard let unshuffled = tensors.dims("body.0.in_conv.weight")?[1], unshuffled % 64 == 0,
      outputs.count > 1, !resnets.isEmpty
    else { return nil }
    self.init(
      adapterType: .light, inChannels: unshuffled / 64, channels: outputs.dropLast(),
      numResBlocks: resnets.count, downscaleFactor: 8)
  }

  private init?(full tensors: Tensors) {
    guard let unshuffled = tensors.dims("conv_in.weight")?[1], unshuffled % 64 == 0 else {
      return nil
    }
    let factor = unshuffled % 256 == 0 ? 16 : 8
    let (channels, blocks): ([Int], Int)
    if tensors.isOriginal {
      let outputs = tensors.outputs("body.#.block1.weight")
      blocks = outputs.count % 2 == 0 ? 2 : 1
      channels = stride(from: 0, to: outputs.count, by: blocks).map { outputs[$0] }
    } else {
      channels = tensors.outputs("body.#.resnets.0.block1.weight")
      blocks = tensors.outputs("body.0.resnets.#.block1.weight").count
    }
    guard !channels.isEmpty, channels.count <= 8 else { return nil }
    self.init(
      adapterType: factor == 16 ? .fullXL : .full, inChannels: unshuffled / (factor * factor),
      channels: channels, numResBlocks: blocks, downscaleFactor: factor)
  }
}
