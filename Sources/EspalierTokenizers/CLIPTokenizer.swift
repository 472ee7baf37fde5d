import Synchronization

/// CLIP's tokenizer: text to token ids, as Hugging Face Transformers gives them.
///
/// Files: `vocab.json` and `merges.txt`, or `tokenizer.json` alone; `tokenizer_config.json` and
/// `special_tokens_map.json` where they are there (pad token, `model_max_length`). SDXL's second
/// tokenizer pads with `!`, which is then a special token inside texts too.
/// Source: Transformers 5 `models/clip/tokenization_clip.py`, without ftfy, as its goldens.
public struct CLIPTokenizer: Sendable {
  public let bosTokenID, eosTokenID, padTokenID: Int32
  /// Length of a padded row, from the configuration; 77 where it names none.
  public let modelMaxLength: Int
  /// One more than the largest id.
  public let vocabularySize: Int

  private let encoding: BytePairEncoding
  private let special: SpecialTokens
  private let tokens: [Int32: String]
  private let cache = WordCache()

  /// - Throws: `TokenizerError` naming the file, and the line where there is one.
  public init(folder: String) throws(TokenizerError) {
    try self.init(VocabularyFiles(folder: folder))
  }

  /// - Parameters:
  ///   - files: Contents by name: those that a tokenizer's folder has.
  ///   - title: What stands for the folder in messages.
  /// - Throws: `TokenizerError` naming the file, and the line where there is one.
  public init(files: [String: [UInt8]], title: String) throws(TokenizerError) {
    try self.init(VocabularyFiles(title: title) { files[$0] })
  }

  private init(_ files: VocabularyFiles) throws(TokenizerError) {
    special = try SpecialTokens(files)
    encoding = try BytePairEncoding(files, unknown: special.unknown)
    (bosTokenID, eosTokenID, padTokenID) = (special.bos, special.eos, special.pad)
    // Configurations without a limit hold 10³⁰.
    let length = (files.configuration["model_max_length"] as? Double) ?? 77
    modelMaxLength = length >= 2 && length <= 65536 ? Int(length) : 77
    vocabularySize = Int(files.vocabulary.values.max() ?? -1) + 1
    tokens = Dictionary(files.vocabulary.map { ($1, $0) }) { first, _ in first }
  }

  /// The ids of a text between begin and end of text, cut and padded to the length.
  ///
  /// - Parameters:
  ///   - text: A prompt; special tokens in it become their ids.
  ///   - maxLength: `modelMaxLength` if nil; at least 2.
  /// - Returns: Exactly `maxLength` ids.
  public func encode(_ text: String, maxLength: Int? = nil) -> [Int32] {
    let length = max(maxLength ?? modelMaxLength, 2)
    let row = [bosTokenID] + tokenize(text).prefix(length - 2) + [eosTokenID]
    return row + [Int32](repeating: padTokenID, count: length - row.count)
  }

  /// How many ids a text has with begin and end of text, before it is cut.
  public func count(_ text: String) -> Int { tokenize(text).count + 2 }

  /// The end of a text that `encode` cuts off, as its tokens spell it, or nil if all of it fits.
  public func truncatedText(_ text: String, maxLength: Int? = nil) -> String? {
    let rest = tokenize(text).dropFirst(max(maxLength ?? modelMaxLength, 2) - 2)
    return rest.isEmpty ? nil : decode(Array(rest))
  }

  /// The ids of a text alone.
  public func tokenize(_ text: String) -> [Int32] {
    var ids: [Int32] = []
    for segment in special.split(Array(text.unicodeScalars), normalized: false) {
      switch segment {
      case .token(let id): ids.append(id)
      case .text(let part):
        for inner in special.split(CLIPWords.normalized(part), normalized: true) {
          switch inner {
          case .token(let id): ids.append(id)
          case .text(let words):
            for word in CLIPWords.words(words) {
              ids += cache.tokens(of: word) { encoding.encode(word) }
            }
          }
        }
      }
    }
    return ids
  }

  /// The text that tokens spell: lower case, a space after each word; ids without a token are left out.
  public func decode(_ ids: [Int32]) -> String {
    var bytes: [UInt8] = []
    for id in ids {
      guard let token = tokens[id] else { continue }
      let endsWord = token.hasSuffix("</w>")
      for scalar in (endsWord ? String(token.dropLast(4)) : token).unicodeScalars {
        bytes.append(Self.bytes[scalar] ?? UInt8(ascii: "?"))
      }
      if endsWord { bytes.append(UInt8(ascii: " ")) }
    }
    if bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static let bytes = Dictionary(
    uniqueKeysWithValues: zip(BytePairEncoding.alphabet, UInt8.min...UInt8.max))
}

/// The tokens of words that came before; words repeat much in captions.
private final class WordCache: Sendable {
  private let entries = Mutex<[[UInt8]: [Int32]]>([:])
  private static let capacity = 1 << 16

  func tokens(of word: [UInt8], make: () -> [Int32]) -> [Int32] {
    if let known = entries.withLock({ $0[word] }) { return known }
    let made = make()
    entries.withLock { entries in
      if entries.count >= Self.capacity { entries.removeAll(keepingCapacity: true) }
      entries[word] = made
    }
    return made
  }
}
