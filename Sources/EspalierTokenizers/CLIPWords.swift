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
      let kind = Kind(text[index])
      var end = index + 1
      if let length = contraction(text[index...]) {
        end = index + length
      } else if kind == .letter || kind == .other {
        while end < text.count, Kind(text[end]) == kind { end += 1 }
      }
      if kind != .space {
        words.append(text[index..<end].flatMap { Array(UTF8.encode($0) ?? .init()) })
      }
      index = end
    }
    return words
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
