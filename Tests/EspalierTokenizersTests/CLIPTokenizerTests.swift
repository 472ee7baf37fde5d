import EspalierTokenizers
import Foundation
import TestSupport
import Testing

@Suite struct CLIPTokenizerTests {
  /// `tokens.json`: prompts and the padded ids of both tokenizers of the tiny model.
  @Test(arguments: ["tokenizer", "tokenizer_2"])
  func `the tiny model's tokenizers give the golden ids`(_ name: String) throws {
    let tokenizer = try CLIPTokenizer(folder: Fixtures.path("tiny-sdxl/\(name)"))
    let root = try JSONSerialization.jsonObject(
      with: Data(contentsOf: URL(fileURLWithPath: Fixtures.path("tokens.json"))))
    let file = try #require(root as? [String: Any])
    let prompts = try #require(file["prompts"] as? [String])
    let rows = try #require(file[name] as? [[Int]])
    #expect(prompts.count == rows.count && !prompts.isEmpty)
    for (prompt, row) in zip(prompts, rows) {
      #expect(tokenizer.encode(prompt, maxLength: row.count).map { Int($0) } == row, "\(prompt)")
    }
  }

  private struct Golden: Decodable {
    let text: String
    let ids: [Int32]
    let ids77: [Int32]
  }

  private static let vocabulary = Fixtures.sdxlFolder + "/tokenizer"

  @Test func `CLIP's vocabulary gives the golden ids`() throws {
    let tokenizer = try CLIPTokenizer(folder: Self.vocabulary)
    let goldens = try JSONDecoder().decode(
      [Golden].self,
      from: Data(
        contentsOf: URL(
          fileURLWithPath: Fixtures.project + "/Tests/CLIPVocabulary/golden.json")))
    #expect(goldens.count > 100)
    for golden in goldens {
      let ids = [tokenizer.bosTokenID] + tokenizer.tokenize(golden.text) + [tokenizer.eosTokenID]
      #expect(ids == golden.ids, "\(golden.text)")
      #expect(tokenizer.encode(golden.text) == golden.ids77, "\(golden.text)")
      #expect(tokenizer.count(golden.text) == golden.ids.count)
    }
    #expect(tokenizer.vocabularySize == 49408)
    #expect(tokenizer.modelMaxLength == 77)
  }

  @Test func `the part of a prompt that is cut is told`() throws {
    let tokenizer = try CLIPTokenizer(folder: Self.vocabulary)
    #expect(tokenizer.truncatedText("a photo of a cat") == nil)
    let text = String(repeating: "word ", count: 75) + "Then a naïve cat!"
    #expect(tokenizer.truncatedText(text) == "then a naïve cat !")
    #expect(tokenizer.truncatedText("a photo of a cat", maxLength: 5) == "a cat")
  }

  /// From Transformers 5.23: the pad token `!` is special inside texts, and a special token that is
  /// marked as normalised is found in any case.
  @Test func `special tokens inside a text become their ids`() throws {
    let tokenizer = try CLIPTokenizer(folder: Fixtures.path("tiny-sdxl/tokenizer_2"))
    let (pad, eos) = (tokenizer.padTokenID, tokenizer.eosTokenID)
    let (a, b) = (tokenizer.tokenize("a"), tokenizer.tokenize("b"))
    #expect(tokenizer.tokenize("a! b!!") == a + [pad] + b + [pad, pad])
    #expect(tokenizer.tokenize("a!<|endoftext|>b") == a + [pad, eos] + b)
    #expect(tokenizer.tokenize(" <|ENDOFTEXT|> a") == [eos] + a)
    let first = try CLIPTokenizer(folder: Fixtures.path("tiny-sdxl/tokenizer"))
    #expect(first.tokenize("a <|endoftext|>b") == a + [first.eosTokenID] + b)
    #expect(!first.tokenize("<|ENDOFTEXT|>").contains(first.eosTokenID))
  }

  /// From Transformers 5.23.
  @Test func `a marker that is no special token is cut off from what follows`() throws {
    let tokenizer = try CLIPTokenizer(folder: Self.vocabulary)
    #expect(tokenizer.tokenize("<|ENDOFTEXT|>!") == [27, 347, 40786, 4160, 91, 285, 256])
    #expect(
      tokenizer.tokenize("!<|ENDOFTEXT|>!") == tokenizer.tokenize("!<| endoftext |>!"))
  }

  @Test func `a short length keeps begin and end`() throws {
    let tokenizer = try CLIPTokenizer(folder: Self.vocabulary)
    #expect(tokenizer.encode("a photo of a cat", maxLength: 3) == [49406, 320, 49407])
    #expect(tokenizer.encode("a photo", maxLength: 0) == [49406, 49407])
  }
}
