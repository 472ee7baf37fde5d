/// Byte-level byte-pair encoding with the end-of-word mark `</w>`.
///
/// Each byte of a word is a letter of an alphabet of 256 printable characters (GPT-2's); the last one
/// carries the mark. Pairs are then merged, the earliest merge of the file first.
/// Source: Sennrich et al. 2016; the byte alphabet is that of OpenAI's GPT-2 encoder.
struct BytePairEncoding: Sendable {
  private struct Merge {
    let rank: Int
    let id: Int32
  }

  /// The token of a byte inside a word and of one that ends it; `unknown` where the vocabulary has none.
  private let inner: [Int32]
  private let final: [Int32]
  /// Merges by the two ids, the left one in the upper half.
  private let merges: [UInt64: Merge]

  /// - Throws: `TokenizerError.unknownMergeToken`.
  init(_ files: VocabularyFiles, unknown: Int32) throws(TokenizerError) {
    let vocabulary = files.vocabulary
    inner = Self.alphabet.map { vocabulary[String($0)] ?? unknown }
    final = Self.alphabet.map { vocabulary[String($0) + "</w>"] ?? unknown }
    var merges: [UInt64: Merge] = [:]
    merges.reserveCapacity(files.merges.count)
    for (rank, merge) in files.merges.enumerated() {
      func id(_ token: String) throws(TokenizerError) -> Int32 {
        guard let id = vocabulary[token] else {
          throw .unknownMergeToken(path: files.mergesPath, line: merge.line, token: token)
        }
        return id
      }
      let key = Self.key(try id(merge.left), try id(merge.right))
      if merges[key] == nil {
        merges[key] = Merge(rank: rank, id: try id(merge.left + merge.right))
      }
    }
    self.merges = merges
  }

  /// The tokens of one word.
  func encode(_ word: some Collection<UInt8>) -> [Int32] {
    var tokens = word.map { inner[Int($0)] }
    if let last = Array(word.suffix(1)).first { tokens[tokens.count - 1] = final[Int(last)] }
    while tokens.count > 1 {
      var best: (key: UInt64, merge: Merge)?
      for (left, right) in zip(tokens, tokens.dropFirst()) {
        let key = Self.key(left, right)
        if let merge = merges[key], merge.rank < best?.merge.rank ?? .max { best = (key, merge) }
      }
      guard let best else { break }
      tokens = Self.merged(tokens, best.key, into: best.merge.id)
    }
    return tokens
  }

  /// Replaces each occurrence of the pair, from the left.
  private static func merged(_ tokens: [Int32], _ pair: UInt64, into id: Int32) -> [Int32] {
    var result: [Int32] = []
    var index = 0
    while index < tokens.count {
      if index + 1 < tokens.count, key(tokens[index], tokens[index + 1]) == pair {
        result.append(id)
        index += 2
      } else {
        result.append(tokens[index])
        index += 1
      }
    }
    return result
  }

  private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
  }

  /// The character of each byte: itself where it is printable in Latin-1, else from U+0100 on.
  static let alphabet: [Unicode.Scalar] = {
    var next: UInt8 = 0
    return (UInt8.min...UInt8.max).map { byte in
      switch byte {
      case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: return Unicode.Scalar(byte)
      default:
        defer { next += 1 }
        // U+0100 + 0…67 are all scalars.
        return Unicode.Scalar(0x100 + UInt32(next)) ?? "?"
      }
    }
  }()
}
