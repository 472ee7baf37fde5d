import EspalierCheckpoints
import EspalierTensors

/// Questions to the names and shapes of a file's tensors.
struct NamedTensors {
  let entries: [String: TensorEntry]
  /// All names, and what their words before each dot are.
  private let beginnings: Set<String>

  init(_ entries: [String: TensorEntry]) {
    self.entries = entries
    var beginnings: Set<String> = []
    for name in entries.keys {
      var beginning = name[...]
      while beginnings.insert(String(beginning)).inserted,
        let dot = beginning.lastIndex(of: ".")
      {
        beginning = beginning[..<dot]
      }
    }
    self.beginnings = beginnings
  }

  /// True if a name is, or begins with, one of these and a dot.
  func has(anyOf words: String...) -> Bool { words.contains { beginnings.contains($0) } }

  /// True if these letters occur in a name.
  func contains(_ part: String) -> Bool { entries.keys.contains { $0.contains(part) } }

  /// The size of a tensor's axis; nil if there is no such tensor or axis.
  func size(_ name: String, _ axis: Int) -> Int? {
    entries[name].flatMap { axis < $0.shape.rank ? $0.shape[axis] : nil }
  }

  /// What the cross-attention of a U-Net reads: the columns of its first key projection.
  func textFeatures(_ prefix: String) -> Int? {
    let name = entries.keys.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".attn2.to_k.weight") }
      .min()
    return name.flatMap { size($0, 1) }
  }
}
