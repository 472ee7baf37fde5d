public import EspalierTensors

/// The weights of one component (UNet, VAE, text encoder, adapter): one safetensors file or several
/// with an index.
public struct Checkpoint: Sendable {
  /// The file, or the index of several files; for messages.
  public let path: String
  /// The safetensors files, sorted.
  public let files: [String]
  /// All tensors by name.
  public let entries: [String: TensorEntry]
  private let stored: [String: Stored]

  /// Where a tensor lies.
  private struct Stored: Sendable {
    let file: SafetensorsFile
    let view: TensorView
  }

  /// Opens a single file.
  ///
  /// - Throws: `CheckpointError` as `SafetensorsFile` does.
  public init(file path: String) throws(CheckpointError) {
    self.init(try SafetensorsFile(path: path))
  }

  /// All tensors of a file that is open.
  public init(_ file: SafetensorsFile) {
    path = file.path
    files = [path]
    entries = file.entries
    stored = Dictionary(
      uniqueKeysWithValues: file.entries.map { name, entry in
        (name, Stored(file: file, view: TensorView(source: name, entry: entry)))
      })
  }

  /// Some tensors of a file, or parts of them, under other names.
  ///
  /// - Parameter views: By the new names; they lie inside the file.
  public init(_ file: SafetensorsFile, views: [String: TensorView]) {
    path = file.path
    files = [path]
    entries = views.mapValues { $0.entry.reshaped($0.shape) }
    stored = views.mapValues { Stored(file: file, view: $0) }
  }

  /// Opens the weights in a component's folder.
  ///
  /// For every base name `NAME` it looks for `NAME.safetensors` and `NAME.safetensors.index.json`;
  /// with a variant (`fp16`) for `NAME.fp16.safetensors` and `NAME.safetensors.index.fp16.json`.
  ///
  /// - Throws: `CheckpointError.noWeights`, `.brokenIndex`, and what `SafetensorsFile` throws.
  public init(
    folder: String, baseNames: [String] = ["diffusion_pytorch_model", "model"],
    variant: String? = nil
  ) throws(CheckpointError) {
    let search = try CheckpointSearch(folder: folder, baseNames: baseNames, variant: variant)
    switch search.result {
    case .file(let path): try self.init(file: path)
    case .index(let path): try self.init(index: path, folder: folder)
    }
  }

  private init(index path: String, folder: String) throws(CheckpointError) {
    let map = try JSONObject(contentsOf: path).members("weight_map")
    var opened: [String: SafetensorsFile] = [:]
    var entries: [String: TensorEntry] = [:]
    var stored: [String: Stored] = [:]
    for member in map {
      guard let shard = member.value.string, !shard.isEmpty, !shard.contains("/") else {
        throw .brokenIndex(
          path: path, tensor: member.key, expected: "the name of a file in the same folder",
          found: member.value.kind)
      }
      let file: SafetensorsFile
      if let known = opened[shard] {
        file = known
      } else {
        file = try Self.open(shard: shard, in: folder, index: path, tensor: member.key)
        opened[shard] = file
      }
      guard let entry = file.entries[member.key] else {
        throw .brokenIndex(
          path: path, tensor: member.key, expected: "the tensor in \(shard)",
          found: "\(file.names.count) other tensors there")
      }
      entries[member.key] = entry
      stored[member.key] = Stored(
        file: file, view: TensorView(source: member.key, entry: entry))
    }
    self.path = path
    files = opened.values.map(\.path).sorted()
    self.entries = entries
    self.stored = stored
  }

  private static func open(
    shard: String, in folder: String, index: String, tensor: String
  ) throws(CheckpointError) -> SafetensorsFile {
    do {
      return try SafetensorsFile(path: folder + "/" + shard)
    } catch .file(let error) where error.operation == "open" {
      throw .brokenIndex(
        path: index, tensor: tensor, expected: "the file \(shard) beside the index",
        found: error.description)
    }
  }

  /// The file that holds the tensor; nil if none does.
  public func file(of name: String) -> String? { stored[name]?.file.path }

  /// What the file calls the tensor, or the one that it is a part of; nil if there is none.
  public func source(of name: String) -> String? { stored[name]?.view.source }

  /// The tensor as a view into its file; copied if it is transposed.
  ///
  /// - Throws: `CheckpointError.missingTensor`, `.unsupportedDType`.
  public func tensor(_ name: String) throws(CheckpointError) -> HostTensor {
    guard let stored = stored[name] else {
      throw .missingTensor(
        path: path, tensor: name, near: NearestNames.of(name, among: entries.keys))
    }
    let tensor = try stored.file.tensor(stored.view.source, at: stored.view.entry)
    return stored.view.isTransposed ? tensor.permuted([1, 0]) : tensor
  }

  /// The hash of all names, types, shapes and bytes; the same for one file and for several.
  public func contentHash() -> ContentHash {
    let hasher = ContentHasher()
    for (name, stored) in stored.sorted(by: { $0.key < $1.key }) {
      hasher.combine(name)
      hasher.combine(stored.view.entry.dtypeName)
      hasher.combine(stored.view.shape.description)
      hasher.combine(stored.view.isTransposed ? 1 : 0)
      stored.file.withUnsafeBytes(of: stored.view.entry) { hasher.update($0) }
    }
    return hasher.finish()
  }

  /// The same weights under other names.
  public func view(_ map: KeyMap = KeyMap()) -> CheckpointView {
    CheckpointView(checkpoint: self, map: map)
  }
}
