import EspalierTensors
import Foundation

/// What a tokenizer's folder holds: the vocabulary, the merges and the configuration.
struct VocabularyFiles {
  /// A line of `merges.txt`.
  struct Merge {
    let left: String
    let right: String
    /// From 1.
    let line: Int
  }

  private(set) var vocabulary: [String: Int32] = [:]
  private(set) var merges: [Merge] = []
  let vocabularyPath: String
  let mergesPath: String
  /// `tokenizer_config.json` over `special_tokens_map.json`; empty if there is neither.
  let configuration: [String: Any]

  /// - Throws: `TokenizerError` for files that are missing, unreadable or malformed.
  init(folder: String) throws(TokenizerError) {
    try self.init(title: folder) { (name) throws(TokenizerError) in
      let path = folder + "/" + name
      return FileManager.default.fileExists(atPath: path) ? try Self.bytes(at: path) : nil
    }
  }

  /// - Parameters:
  ///   - title: The folder, or what stands for it in messages.
  ///   - read: The content of a file of that name, or nil if there is none.
  init(
    title: String, read: (String) throws(TokenizerError) -> [UInt8]?
  ) throws(TokenizerError) {
    let (vocab, merges) = (try read("vocab.json"), try read("merges.txt"))
    let combined = vocab == nil && merges == nil ? try read("tokenizer.json") : nil
    vocabularyPath = title + "/" + (combined == nil ? "vocab.json" : "tokenizer.json")
    mergesPath = title + "/" + (combined == nil ? "merges.txt" : "tokenizer.json")
    var configuration: [String: Any] = [:]
    for name in ["special_tokens_map.json", "tokenizer_config.json"] {
      guard let bytes = try read(name) else { continue }
      configuration.merge(try Self.object(bytes, path: title + "/" + name)) { _, later in later }
    }
    self.configuration = configuration
    if let combined {
      try readCombined(try Self.object(combined, path: vocabularyPath))
      return
    }
    guard let vocab else { throw .missingFile(path: vocabularyPath, folder: title) }
    guard let merges else { throw .missingFile(path: mergesPath, folder: title) }
    try readVocabulary(try Self.object(vocab, path: vocabularyPath))
    try readMerges(merges)
  }

  private mutating func readVocabulary(_ object: [String: Any]) throws(TokenizerError) {
    var owners: [Int32: String] = [:]
    vocabulary.reserveCapacity(object.count)
    owners.reserveCapacity(object.count)
    for (token, value) in object {
      guard let number = value as? Int else {
        throw .malformedJSON(path: vocabularyPath, reason: "the id of \"\(token)\" is \(value)")
      }
      guard let id = Int32(exactly: number), id >= 0 else {
        throw .invalidID(path: vocabularyPath, token: token, id: number)
      }
      if let owner = owners.updateValue(token, forKey: id) {
        throw .duplicateID(path: vocabularyPath, id: number, tokens: [owner, token].sorted())
      }
      vocabulary[token] = id
    }
  }

  private mutating func readMerges(_ bytes: [UInt8]) throws(TokenizerError) {
    for (index, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
    {
      let line = line.last == 0x0D ? line.dropLast() : line
      if line.isEmpty || (index == 0 && line.starts(with: "#version".utf8)) { continue }
      let text = String(decoding: line, as: UTF8.self)
      try appendMerge(text.split(separator: " ", omittingEmptySubsequences: false), index + 1, text)
    }
  }

  private mutating func appendMerge(
    _ parts: [some StringProtocol], _ line: Int, _ text: String
  ) throws(TokenizerError) {
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw .malformedMerge(path: mergesPath, line: line, text: text)
    }
    merges.append(Merge(left: String(parts[0]), right: String(parts[1]), line: line))
  }

  /// `tokenizer.json`: `model.vocab`, and `model.merges` as texts or as pairs.
  private mutating func readCombined(_ object: [String: Any]) throws(TokenizerError) {
    guard let model = object["model"] as? [String: Any],
      let vocabulary = model["vocab"] as? [String: Any], let merges = model["merges"] as? [Any]
    else {
      throw .malformedJSON(path: vocabularyPath, reason: "model.vocab or model.merges is missing")
    }
    try readVocabulary(vocabulary)
    for (index, merge) in merges.enumerated() {
      if let pair = merge as? [String] {
        try appendMerge(pair, index + 1, pair.joined(separator: " "))
      } else {
        let text = merge as? String ?? "\(merge)"
        try appendMerge(
          text.split(separator: " ", omittingEmptySubsequences: false), index + 1, text)
      }
    }
    for entry in object["added_tokens"] as? [[String: Any]] ?? [] {
      guard let token = entry["content"] as? String, let number = entry["id"] as? Int else {
        throw .malformedJSON(path: vocabularyPath, reason: "an added token lacks content or id")
      }
      guard let id = Int32(exactly: number), id >= 0 else {
        throw .invalidID(path: vocabularyPath, token: token, id: number)
      }
      self.vocabulary[token] = id
    }
  }

  private static func bytes(at path: String) throws(TokenizerError) -> [UInt8] {
    do throws(FileError) {
      let file = try MappedFile(path: path)
      // The bytes are mapped only as long as the file lives.
      return withExtendedLifetime(file) { Array(file.bytes) }
    } catch { throw .unreadable(error) }
  }

  private static func object(
    _ bytes: [UInt8], path: String
  ) throws(TokenizerError) -> [String: Any] {
    do {
      let value = try JSONSerialization.jsonObject(with: Data(bytes))
      if let object = value as? [String: Any] { return object }
    } catch {
      throw .malformedJSON(path: path, reason: "\(error.localizedDescription)")
    }
    throw .malformedJSON(path: path, reason: "expected an object")
  }
}
