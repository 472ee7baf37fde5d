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
    }
  }

  private func lines(
    _ summary: String, _ path: String, tensor: String? = nil, expected: String? = nil,
    found: String? = nil, hint: String
  ) -> String {
    var result = summary + "\n  file      " + path
    if let tensor { result += "\n  tensor    " + tensor }
    if let expected { result += "\n  expected  " + expected }
    if let found { result += "\n  found     " + found }
    return result + "\n  hint      " + hint
  }
}
