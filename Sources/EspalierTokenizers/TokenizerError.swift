public import EspalierTensors

/// Why a tokenizer's folder cannot be used.
public enum TokenizerError: Error, CustomStringConvertible, Equatable {
  /// The folder holds neither `vocab.json` with `merges.txt` nor `tokenizer.json`.
  case missingFile(path: String, folder: String)
  /// The system refused to read a file.
  case unreadable(FileError)
  /// A file is not the JSON that it should be.
  case malformedJSON(path: String, reason: String)
  /// A line of `merges.txt` (or entry of `tokenizer.json`) is not two tokens with a space between.
  case malformedMerge(path: String, line: Int, text: String)
  /// A merge uses or makes a token that the vocabulary lacks.
  case unknownMergeToken(path: String, line: Int, token: String)
  /// Two tokens have one id.
  case duplicateID(path: String, id: Int, tokens: [String])
  /// An id does not fit: negative or beyond 2³¹ − 1.
  case invalidID(path: String, token: String, id: Int)
  /// A special token that the configuration names is not in the vocabulary.
  case missingSpecialToken(path: String, role: String, token: String)

  public var description: String {
    switch self {
    case .missingFile(let path, let folder):
      "cannot load the tokenizer: \(path) is missing; \(folder) must hold vocab.json and merges.txt, "
        + "or tokenizer.json"
    case .unreadable(let error): "cannot load the tokenizer: \(error)"
    case .malformedJSON(let path, let reason):
      "cannot load the tokenizer: \(path) is not as expected: \(reason)"
    case .malformedMerge(let path, let line, let text):
      "cannot load the tokenizer: \(path), line \(line): expected two tokens with a space between, "
        + "found \"\(text)\""
    case .unknownMergeToken(let path, let line, let token):
      "cannot load the tokenizer: \(path), line \(line): the token \"\(token)\" is not in the "
        + "vocabulary; the merges belong to another vocabulary"
    case .duplicateID(let path, let id, let tokens):
      "cannot load the tokenizer: \(path): the id \(id) belongs to "
        + tokens.map { "\"\($0)\"" }.joined(separator: " and ")
    case .invalidID(let path, let token, let id):
      "cannot load the tokenizer: \(path): the token \"\(token)\" has the id \(id); expected "
        + "0 to \(Int32.max)"
    case .missingSpecialToken(let path, let role, let token):
      "cannot load the tokenizer: \(path): the \(role) \"\(token)\" is not in the vocabulary"
    }
  }
}
