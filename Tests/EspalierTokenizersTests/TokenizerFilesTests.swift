import EspalierTokenizers
import Foundation
import TestSupport
import Testing

@Suite struct TokenizerFilesTests {
  /// A folder with a vocabulary of a few tokens.
  private func folder(
    vocabulary: String? = nil, merges: String? = "#version: 0.2\na b\nab c</w>\n"
  ) throws -> TemporaryFolder {
    let folder = try temporaryFolder()
    let standard =
      #"{"a": 0, "b": 1, "c</w>": 2, "ab": 3, "abc</w>": 4, "<|startoftext|>": 5, "<|endoftext|>": 6}"#
    try write(vocabulary ?? standard, folder, "vocab.json")
    if let merges { try write(merges, folder, "merges.txt") }
    return folder
  }

  private func write(_ text: String, _ folder: TemporaryFolder, _ name: String) throws {
    try text.write(toFile: folder.file(name), atomically: true, encoding: .utf8)
  }

  private func error(_ folder: TemporaryFolder) -> TokenizerError? {
    do throws(TokenizerError) {
      _ = try CLIPTokenizer(folder: folder.path)
      return nil
    } catch { return error }
  }

  @Test func `merges apply in the order of the file`() throws {
    let folder = try folder()
    let tokenizer = try CLIPTokenizer(folder: folder.path)
    #expect(tokenizer.tokenize("abc") == [4])
    #expect(tokenizer.tokenize("aabc abc") == [0, 4, 4])
    // A byte that the vocabulary lacks is the unknown token.
    #expect(tokenizer.tokenize("az") == [0, 6])
    #expect(tokenizer.padTokenID == 6)
  }

  @Test func `a folder with tokenizer dot json alone gives the same ids`() throws {
    for merges in [#"["a b", "ab c</w>"]"#, #"[["a", "b"], ["ab", "c</w>"]]"#] {
      let folder = try temporaryFolder()
      try write(
        #"""
        {"model": {"vocab": {"a": 0, "b": 1, "c</w>": 2, "ab": 3, "abc</w>": 4}, "merges": \#(merges)},
         "added_tokens": [{"id": 5, "content": "<|startoftext|>"}, {"id": 6, "content": "<|endoftext|>"}]}
        """#, folder, "tokenizer.json")
      let tokenizer = try CLIPTokenizer(folder: folder.path)
      #expect(tokenizer.encode("abc", maxLength: 5) == [5, 4, 6, 6, 6])
    }
  }

  @Test(arguments: [("32", 32), ("1000000000000000019884624838656", 77), ("77", 77)])
  func `the length of a row comes from the configuration`(_ json: String, _ length: Int) throws {
    let folder = try folder()
    try write(#"{"model_max_length": \#(json)}"#, folder, "tokenizer_config.json")
    let tokenizer = try CLIPTokenizer(folder: folder.path)
    #expect(tokenizer.modelMaxLength == length)
    #expect(tokenizer.encode("abc").count == length)
  }

  @Test func `a missing file is named`() throws {
    let folder = try folder(merges: nil)
    let path = folder.file("merges.txt")
    #expect(error(folder) == .missingFile(path: path, folder: folder.path))
    let empty = try temporaryFolder()
    #expect("\(try #require(error(empty)))".contains("vocab.json"))
  }

  @Test(arguments: ["a b c", "ab", "a  b", " a"])
  func `a malformed line of the merges is named by number`(_ line: String) throws {
    let folder = try folder(merges: "#version: 0.2\na b\n\(line)\n")
    let path = folder.file("merges.txt")
    #expect(error(folder) == .malformedMerge(path: path, line: 3, text: line))
  }

  @Test func `merges of another vocabulary are refused`() throws {
    let folder = try folder(merges: "#version: 0.2\na b\nb a\n")
    let path = folder.file("merges.txt")
    #expect(error(folder) == .unknownMergeToken(path: path, line: 3, token: "ba"))
  }

  @Test func `two tokens with one id are refused`() throws {
    let folder = try folder(vocabulary: #"{"x": 7, "y": 7}"#)
    let path = folder.file("vocab.json")
    #expect(error(folder) == .duplicateID(path: path, id: 7, tokens: ["x", "y"]))
  }

  @Test(arguments: [#"{"x": -1}"#, #"{"x": 4294967296}"#, #"{"x": "1"}"#, #"{"x": "#, "[]"])
  func `a vocabulary that makes no sense is refused by file`(_ text: String) throws {
    let folder = try folder(vocabulary: text)
    #expect("\(try #require(error(folder)))".contains(folder.file("vocab.json")))
  }

  @Test func `a pad token outside the vocabulary is refused`() throws {
    let folder = try folder()
    try write(#"{"pad_token": "<pad>"}"#, folder, "tokenizer_config.json")
    #expect(
      error(folder)
        == .missingSpecialToken(
          path: folder.file("vocab.json"), role: "pad_token", token: "<pad>"))
  }
}
