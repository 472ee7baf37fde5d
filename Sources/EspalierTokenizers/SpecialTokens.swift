/// Tokens with a meaning of their own, and how they are found in a text.
///
/// Keys of `tokenizer_config.json` or `special_tokens_map.json`: `bos_token`, `eos_token`, `unk_token`,
/// `pad_token` (a text or an object with `content` and `normalized`), `added_tokens_decoder`.
struct SpecialTokens: Sendable {
  /// One that is cut out of a text as a whole.
  struct Added: Sendable {
    let content: [Unicode.Scalar]
    let id: Int32
    /// Looked for after clean-up and lower-casing; others are looked for in the text as it is.
    let isNormalized: Bool
  }

  let bos, eos, unknown, pad: Int32
  /// Longest first, so that the longest of several at one place is found.
  let added: [Added]

  /// - Throws: `TokenizerError.missingSpecialToken`.
  init(_ files: VocabularyFiles) throws(TokenizerError) {
    let configuration = files.configuration
    var flags: [String: Bool] = [:]
    let decoder = configuration["added_tokens_decoder"] as? [String: Any] ?? [:]
    for case let entry as [String: Any] in decoder.values {
      guard let content = entry["content"] as? String else { continue }
      flags[content] = entry["normalized"] as? Bool ?? false
    }
    let declared = Set(flags.keys)
    func id(_ role: String, _ fallback: String) throws(TokenizerError) -> Int32 {
      let value = configuration[role]
      let object = value as? [String: Any]
      let content = object?["content"] as? String ?? value as? String ?? fallback
      guard let id = files.vocabulary[content] else {
        throw .missingSpecialToken(path: files.vocabularyPath, role: role, token: content)
      }
      if !declared.contains(content) { flags[content] = object?["normalized"] as? Bool ?? false }
      return id
    }
    bos = try id("bos_token", "<|startoftext|>")
    eos = try id("eos_token", "<|endoftext|>")
    unknown = try id("unk_token", "<|endoftext|>")
    // Read last: a plain text here makes a token that is also eos be looked for in the text as it is.
    pad = try id("pad_token", "<|endoftext|>")
    added = flags.compactMap { content, isNormalized in
      files.vocabulary[content].map {
        Added(content: Array(content.unicodeScalars), id: $0, isNormalized: isNormalized)
      }
    }.sorted { ($0.content.count, $1.id) > ($1.content.count, $0.id) }
  }

  /// Texts between special tokens, and the tokens.
  enum Segment {
    case text([Unicode.Scalar])
    case token(Int32)
  }

  /// Cuts the special tokens out of a text.
  func split(_ text: [Unicode.Scalar], normalized: Bool) -> [Segment] {
    let wanted = added.filter { $0.isNormalized == normalized && !$0.content.isEmpty }
    var segments: [Segment] = []
    var start = 0
    var index = 0
    while index < text.count {
      if let found = wanted.first(where: { text[index...].starts(with: $0.content) }) {
        if start < index { segments.append(.text(Array(text[start..<index]))) }
        segments.append(.token(found.id))
        index += found.content.count
        start = index
      } else {
        index += 1
      }
    }
    if start < text.count { segments.append(.text(Array(text[start...]))) }
    return segments
  }
}
