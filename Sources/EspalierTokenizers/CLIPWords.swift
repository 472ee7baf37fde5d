import Foundation

/// The words of a text as CLIP cuts it: contractions, runs of letters, single digits, runs of anything
/// else that is no white space.
///
/// Source: OpenAI's CLIP `simple_tokenizer.py`; normalisation as in the tokenizer of Hugging Face
/// Transformers 5 (`models/clip/tokenization_clip.py`): NFC, white space to single spaces, lower case.
enum CLIPWords {
  /// The text that words are cut from.
  static func normalized(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: text)
    var result: [Unicode.Scalar] = []
    for scalar in String(view).precomposedStringWithCanonicalMapping.unicodeScalars {
      if scalar.properties.isWhitespace {
        if result.last != " " { result.append(" ") }
      } else {
        result.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
      }
    }
    return result
  }

  /// The words of a normalised text in UTF-8.
  static func words(_ text: [Unicode.Scalar]) -> [[UInt8]] {
    var words: [[UInt8]] = []
    var index = 0
    while index < text.count {
      if text[index] == "<",
        let parts = markers.first(where: { text[index...].starts(with: $0.joined()) })
      {
        words += parts.map(utf8)
        index += parts.joined().count
        continue
      }
      let kind = Kind(text[index])
      var end = index + 1
      if let length = contraction(text[index...]) {
        end = index + length
      } else if kind == .letter || kind == .other {
        while end < text.count, Kind(text[end]) == kind { end += 1 }
      }
      if kind != .space { words.append(utf8(text[index..<end])) }
      index = end
    }
    return words
  }

  /// Markers that are no special tokens of this vocabulary, or became markers by lower-casing, are cut
  /// off from what follows.
  private static let markers: [[ArraySlice<Unicode.Scalar>]] = ["startoftext", "endoftext"].map {
    ["<|", $0, "|>"].map { ArraySlice($0.unicodeScalars) }
  }

  private static func utf8(_ scalars: ArraySlice<Unicode.Scalar>) -> [UInt8] {
    scalars.flatMap { Array(String($0).utf8) }
  }

  private enum Kind {
    case space, letter, number, other

    init(_ scalar: Unicode.Scalar) {
      switch scalar.properties.generalCategory {
      case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
        self = .letter
      case .decimalNumber, .letterNumber, .otherNumber: self = .number
      default: self = scalar.properties.isWhitespace ? .space : .other
      }
    }
  }

  /// The length of a contraction that the text starts with.
  private static func contraction(_ text: ArraySlice<Unicode.Scalar>) -> Int? {
    guard text.first == "'" else { return nil }
    return contractions.first { text.starts(with: $0) }?.count
  }

  private static let contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map {
    Array($0.unicodeScalars)
  }
}
