public import EspalierTensors

/// How the weights in a checkpoint fit the parameters of a model.
public struct LoadReport: Sendable, Equatable, CustomStringConvertible {
  /// A parameter that the checkpoint lacks.
  public struct Missing: Sendable, Equatable {
    public let key: String
    public let shape: Shape
    /// Unused names of the checkpoint that are like the key.
    public let near: [String]
  }

  /// A parameter that the checkpoint holds in another shape.
  public struct WrongShape: Sendable, Equatable {
    public let key: String
    public let expected: Shape
    public let found: Shape
  }

  /// A parameter that the checkpoint holds in a type that cannot be read.
  public struct WrongType: Sendable, Equatable {
    public let key: String
    public let dtypeName: String
  }

  /// What the parameters belong to, as the user knows it: `T2IAdapter (full_adapter_xl)`.
  public let model: String
  public let path: String
  public let matched: [String]
  public let missing: [Missing]
  public let wrongShape: [WrongShape]
  public let wrongType: [WrongType]
  /// Names of the checkpoint that belong to no parameter and are not ignored by rule.
  public let unexpected: [String]

  /// Compares the parameters with the checkpoint, without reading weights.
  public init(
    model: String, required: [(key: String, shape: Shape)], checkpoint: CheckpointView
  ) {
    var matched: [String] = []
    var absent: [(key: String, shape: Shape)] = []
    var wrongShape: [WrongShape] = []
    var wrongType: [WrongType] = []
    var used: Set<String> = []
    for (key, shape) in required {
      guard let name = checkpoint.name(of: key), let entry = checkpoint.entry(key) else {
        absent.append((key, shape))
        continue
      }
      used.insert(name)
      if entry.shape != shape {
        wrongShape.append(WrongShape(key: key, expected: shape, found: entry.shape))
      } else if entry.dtype == nil {
        wrongType.append(WrongType(key: key, dtypeName: entry.dtypeName))
      } else {
        matched.append(key)
      }
    }
    let unexpected = checkpoint.checkpoint.entries.keys.filter {
      !used.contains($0) && !checkpoint.map.ignores($0)
    }.sorted()
    self.model = model
    path = checkpoint.checkpoint.path
    self.matched = matched
    self.wrongShape = wrongShape
    self.wrongType = wrongType
    self.unexpected = unexpected
    missing = absent.enumerated().map { position, parameter in
      // Comparing every name with every other takes long when nothing fits; the first ones are
      // shown.
      let near =
        position < Self.shown ? NearestNames.of(parameter.key, among: unexpected) : []
      return Missing(key: parameter.key, shape: parameter.shape, near: near)
    }
  }

  /// Parameters of each kind that a message lists.
  static let shown = 6

  /// True if every parameter is filled and every tensor used.
  public var fits: Bool {
    missing.isEmpty && wrongShape.isEmpty && wrongType.isEmpty && unexpected.isEmpty
  }

  /// Refuses anything but an exact fit.
  ///
  /// - Throws: `CheckpointError.mismatch` with this report.
  public func check() throws(CheckpointError) {
    if !fits { throw .mismatch(self) }
  }

  public var description: String {
    if fits { return "\(path): all \(matched.count) tensors fit the model \(model)" }
    var lines = ["these weights do not fit the model \(model)", "  file    \(path)"]
    lines += list(wrongShape) { "\($0.key): expected \($0.expected), found \($0.found)" }
    lines += list(wrongType) { "\($0.key): expected F32, F16 or BF16, found \($0.dtypeName)" }
    lines += list(missing) {
      let near = $0.near.isEmpty ? "" : " (near: \($0.near.joined(separator: ", ")))"
      return "\($0.key): expected \($0.shape), found nothing\(near)"
    }
    lines += list(unexpected) { "\($0): found, but the model has no such parameter" }
    lines.append("  counts  \(counts)")
    if let hint { lines.append("  hint    \(hint)") }
    return lines.joined(separator: "\n")
  }

  private func list<T>(_ items: [T], _ text: (T) -> String) -> [String] {
    var lines = items.prefix(Self.shown).map { "  key     " + text($0) }
    if items.count > Self.shown { lines.append("          … and \(items.count - Self.shown) more") }
    return lines
  }

  private var counts: String {
    var parts = ["\(matched.count) tensors fit"]
    if !wrongShape.isEmpty { parts.append("\(wrongShape.count) have another shape") }
    if !wrongType.isEmpty { parts.append("\(wrongType.count) have a type that cannot be read") }
    if !missing.isEmpty { parts.append("\(missing.count) are missing") }
    if !unexpected.isEmpty { parts.append("\(unexpected.count) are not known to the model") }
    return parts.joined(separator: ", ")
  }

  private var hint: String? {
    if let hint = wrongShape.lazy.compactMap(adapterHint).first { return hint }
    if matched.isEmpty && wrongShape.isEmpty {
      return "no name fits: this is probably another component or another model"
    }
    return nil
  }

  /// An adapter's first convolution sees channels · factor² inputs, as PixelUnshuffle makes them.
  private func adapterHint(_ wrong: WrongShape) -> String? {
    guard wrong.key.hasSuffix("conv_in.weight"), wrong.expected.rank == 4, wrong.found.rank == 4
    else { return nil }
    let (expected, found) = (wrong.expected[1], wrong.found[1])
    for channels in 1...4 {
      switch (expected, found) {
      case (channels * 256, channels * 64):
        return "\(found) = \(channels)·8², a downscale factor of 8: this is an adapter for SD 1.5. "
          + "SDXL adapters use 16."
      case (channels * 64, channels * 256):
        return "\(found) = \(channels)·16², a downscale factor of 16: this is an adapter for SDXL. "
          + "The configuration says 8."
      case (_, channels * 256) where expected % 256 == 0:
        return
          "\(found) = \(channels)·16²: this adapter takes control images of \(channels) channel"
          + (channels == 1 ? "." : "s.") + " Set in_channels to \(channels)."
      default: continue
      }
    }
    return nil
  }
}
