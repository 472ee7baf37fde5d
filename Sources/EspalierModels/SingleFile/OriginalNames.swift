public import EspalierCheckpoints
import EspalierTensors

/// How the files of a model's authors name and shape its tensors, where Diffusers does otherwise.
///
/// A list of rules for names that begin, up to a dot, with the same words; the rest of the name is kept.
public struct OriginalNames: Sendable, Equatable {
  /// What the model's tensor is of the file's.
  public enum Form: Sendable, Hashable {
    case same
    /// One of several parts that lie one below the other, such as the three projections of an attention.
    case rows(Int, of: Int)
    case transposed
    /// A matrix that may be stored as the kernel of a 1×1 convolution.
    case matrix
  }

  struct Rule: Sendable, Equatable {
    let key: String
    let form: Form
  }

  private var rules: [String: [Rule]] = [:]
  /// Names that belong to no parameter.
  private var ignored: Set<String> = []

  init() {}

  /// Adds a rule: names that begin with `original` belong to keys that begin with `key`.
  ///
  /// - Parameters:
  ///   - original: The beginning of names in files: whole words, without the last dot, or a whole name.
  ///   - key: The beginning of the model's keys.
  mutating func add(_ original: String, _ key: String, _ form: Form = .same) {
    rules[original, default: []].append(Rule(key: key, form: form))
  }

  /// Adds rules for what lies below: `names` pairs the words in files with the model's.
  mutating func add(_ original: String, _ key: String, names: KeyValuePairs<String, String>) {
    for (theirs, ours) in names { add(original + "." + theirs, key + "." + ours) }
  }

  /// Lets a name be in files without a parameter that it belongs to.
  mutating func ignore(_ name: String) { ignored.insert(name) }

  /// The tensors of a model among those of a file.
  ///
  /// - Parameters:
  ///   - entries: The file's tensors.
  ///   - prefix: What the names in the file begin with, such as `model.diffusion_model.`; other names are
  ///     passed over.
  /// - Returns: Views by the model's keys. A tensor that no rule knows keeps its whole name.
  public func views(of entries: [String: TensorEntry], prefix: String) -> [String: TensorView] {
    var result: [String: TensorView] = [:]
    for (source, entry) in entries where source.hasPrefix(prefix) {
      let name = String(source.dropFirst(prefix.count))
      if ignored.contains(name) { continue }
      let views = self.views(name, source, entry)
      if views.isEmpty { result[source] = TensorView(source: source, entry: entry) }
      result.merge(views) { first, _ in first }
    }
    return result
  }

  /// The views that the longest fitting rule makes.
  private func views(
    _ name: String, _ source: String, _ entry: TensorEntry
  ) -> [String: TensorView] {
    var beginning = name[...]
    while true {
      if let rules = rules[String(beginning)] {
        let rest = name[beginning.endIndex...]
        let views = rules.compactMap { rule in
          Self.view(rule.form, source, entry).map { (rule.key + rest, $0) }
        }
        return Dictionary(views) { first, _ in first }
      }
      guard let dot = beginning.lastIndex(of: ".") else { return [:] }
      beginning = beginning[..<dot]
    }
  }

  /// A tensor that has not the shape that the form needs is left for the shapes' check.
  private static func view(_ form: Form, _ source: String, _ entry: TensorEntry) -> TensorView? {
    switch form {
    case .same:
      return TensorView(source: source, entry: entry)
    case .rows(let index, let count):
      return entry.rows(index, of: count).map { TensorView(source: source, entry: $0) }
    case .transposed:
      return TensorView(source: source, entry: entry, isTransposed: entry.shape.rank == 2)
    case .matrix:
      let dims = entry.shape.dims
      let isKernel = dims.count > 2 && dims.dropFirst(2).allSatisfy { $0 == 1 }
      return TensorView(
        source: source, entry: isKernel ? entry.reshaped(Shape(Array(dims.prefix(2)))) : entry)
    }
  }
}
