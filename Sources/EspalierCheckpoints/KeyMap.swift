public import EspalierTensors

/// How the names that a model asks for may be spelled in files, and which names of files it never
/// asks for.
public struct KeyMap: Sendable {
  /// Prefixes that stand for each other, group by group: `[["text_model.", ""]]`.
  public var prefixAlternatives: [[String]]
  /// Names with these endings belong to no parameter: `position_ids`.
  public var ignoredSuffixes: [String]
  /// Names with these beginnings belong to no parameter: `vision_model.`.
  public var ignoredPrefixes: [String]

  public init(
    prefixAlternatives: [[String]] = [], ignoredSuffixes: [String] = [],
    ignoredPrefixes: [String] = []
  ) {
    self.prefixAlternatives = prefixAlternatives
    self.ignoredSuffixes = ignoredSuffixes
    self.ignoredPrefixes = ignoredPrefixes
  }

  /// CLIP text encoders: with and without `text_model.`; old files store `position_ids`.
  public static let clipTextModel = KeyMap(
    prefixAlternatives: [["text_model.", ""]], ignoredSuffixes: ["embeddings.position_ids"],
    ignoredPrefixes: ["vision_model.", "visual_projection.", "logit_scale"])

  /// Every spelling of a key, the key itself first.
  public func spellings(of key: String) -> [String] {
    var result = [key]
    for group in prefixAlternatives {
      for prefix in group where key.hasPrefix(prefix) {
        let rest = key.dropFirst(prefix.count)
        for other in group where !result.contains(other + rest) { result.append(other + rest) }
      }
    }
    return result
  }

  /// True for a name in a file that no parameter has.
  public func ignores(_ name: String) -> Bool {
    ignoredSuffixes.contains { name.hasSuffix($0) }
      || ignoredPrefixes.contains { name.hasPrefix($0) }
  }
}

/// A checkpoint asked by a model's own keys.
public struct CheckpointView: Sendable {
  public let checkpoint: Checkpoint
  public let map: KeyMap

  /// The name under which the checkpoint holds the key; nil if it does not.
  public func name(of key: String) -> String? {
    map.spellings(of: key).first { checkpoint.entries[$0] != nil }
  }

  public func entry(_ key: String) -> TensorEntry? {
    name(of: key).flatMap { checkpoint.entries[$0] }
  }

  /// The tensor as a view into its file.
  ///
  /// - Throws: `CheckpointError.missingTensor`, `.unsupportedDType`.
  public func tensor(_ key: String) throws(CheckpointError) -> HostTensor {
    try checkpoint.tensor(name(of: key) ?? key)
  }

  /// The tensor, its numbers checked.
  ///
  /// - Throws: as `tensor(_:)`; `CheckpointError.nonFinite` for an infinity or NaN.
  public func finiteTensor(_ key: String) throws(CheckpointError) -> HostTensor {
    try checkpoint.finiteTensor(name(of: key) ?? key)
  }
}
