public import EspalierTensors

/// What can be wrong with weights, configurations and the files that hold them.
public enum CheckpointError: Error, Equatable, CustomStringConvertible {
  /// The system refused a file operation.
  case file(FileError)
  /// A safetensors file breaks the format; `tensor` is nil if the fault is not in one of them.
  case damaged(path: String, tensor: String? = nil, expected: String, found: String)
  /// A tensor that was asked for is not in the file; `near` are names like it.
  case missingTensor(path: String, tensor: String, near: [String])
  /// A tensor has an element type that safetensors knows and Espalier does not compute with.
  case unsupportedDType(path: String, tensor: String, dtype: String)
  /// A weight is infinite or NaN.
  case nonFinite(path: String, tensor: String, index: Int)
  /// A component's folder holds no weights that can be read.
  case noWeights(folder: String, searched: [String], found: [String], hint: String)
  /// The index of a checkpoint in several files does not fit the files.
  case brokenIndex(path: String, tensor: String, expected: String, found: String)
  /// The weights do not fit the model.
  case mismatch(LoadReport)
  /// A configuration file is not as expected; `key` is nil for the whole file.
  case configuration(path: String, key: String?, expected: String, found: String)

  public var description: String {
    switch self {
    case .file(let error):
      return error.description
    case .damaged(let path, let tensor, let expected, let found):
      return lines(
        "this is not a sound safetensors file", path, tensor: tensor, expected: expected,
        found: found, hint: "download or copy the file again")
    case .missingTensor(let path, let tensor, let near):
      return lines(
        "a tensor is missing", path, tensor: tensor,
        hint: near.isEmpty
          ? "no name in the file is like it; is this the right component?"
          : "near names: \(near.joined(separator: ", "))")
    case .unsupportedDType(let path, let tensor, let dtype):
      let known = DType.allCases.map(\.rawValue).joined(separator: ", ")
      return lines(
        "a tensor has an element type that Espalier does not read", path, tensor: tensor,
        expected: "one of \(known)", found: dtype, hint: "convert the weights to F16, BF16 or F32")
    case .nonFinite(let path, let tensor, let index):
      return lines(
        "a weight is infinite or not a number", path, tensor: tensor, expected: "finite numbers",
        found: "none at element \(index)",
        hint: "the training that wrote it diverged, or a conversion to F16 overflowed")
    case .noWeights(let folder, let searched, let found, let hint):
      return lines(
        "there are no weights that can be read", folder, place: "folder",
        expected: searched.joined(separator: " or "),
        found: found.isEmpty ? "no file" : found.joined(separator: ", "), hint: hint)
    case .brokenIndex(let path, let tensor, let expected, let found):
      return lines(
        "the index does not fit its files", path, tensor: tensor, expected: expected, found: found,
        hint: "is the download complete? Every file that weight_map names must be there")
    case .mismatch(let report):
      return report.description
    case .configuration(let path, let key, let expected, let found):
      return lines(
        "a configuration cannot be used", path, key: key, expected: expected, found: found,
        hint: "compare with the file of a published model of the same class")
    }
  }

  private func lines(
    _ summary: String, _ path: String, place: String = "file", tensor: String? = nil,
    key: String? = nil, expected: String? = nil, found: String? = nil, hint: String
  ) -> String {
    let gap = String(repeating: " ", count: 10 - place.count)
    var result = summary + "\n  " + place + gap + path
    if let key { result += "\n  key       " + key }
    if let tensor { result += "\n  tensor    " + tensor }
    if let expected { result += "\n  expected  " + expected }
    if let found { result += "\n  found     " + found }
    return result + "\n  hint      " + hint
  }
}
