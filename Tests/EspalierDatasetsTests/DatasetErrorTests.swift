import EspalierDatasets
import TestSupport
import Testing

@Suite("DatasetError") struct DatasetErrorTests {
  @Test func `a missing folder and a file in its place are told apart`() throws {
    let data = try DataFolder()
    let file = try data.write("", to: "file")
    let gone = data.path + "/gone"
    #expect(
      datasetError { () throws(DatasetError) in try ImageFolderDataset(folder: gone) }
        == .noFolder(path: gone, found: "nothing"))
    #expect(
      datasetError { () throws(DatasetError) in try ImageFolderDataset(folder: file) }
        == .noFolder(path: file, found: "a file"))
  }

  @Test func `without metadata, says what there is`() throws {
    let data = try DataFolder()
    try data.touch("images/a.png", "notes.txt")
    #expect(
      datasetError { () throws(DatasetError) in try data.open() }
        == .noMetadata(folder: data.path, found: ["images/", "notes.txt"]))
  }

  @Test func `refuses to choose between two metadata files`() throws {
    let data = try DataFolder()
    try data.touch("metadata.csv", "train/metadata.jsonl")
    #expect(
      datasetError { () throws(DatasetError) in try data.open() }
        == .ambiguousMetadata(
          files: [data.path + "/metadata.csv", data.path + "/train/metadata.jsonl"]))
  }

  @Test(arguments: ["metadata.csv", "metadata.jsonl", "prompt.json"])
  func `refuses metadata without rows`(name: String) throws {
    let data = try DataFolder()
    let path = try data.write(
      name.hasSuffix("csv") ? "file_name,conditioning_image,text\n" : "\n \n", to: name)
    #expect(datasetError { () throws(DatasetError) in try data.open() } == .empty(file: path))
  }

  @Test func `an absent column is named with those that there are and the flag`() throws {
    let data = try DataFolder()
    let path = try data.write(
      #"{"file_name": "a.png", "hint": "b.png", "caption": "t"}"#, to: "metadata.jsonl")
    let error = datasetError { () throws(DatasetError) in try data.open() }
    #expect(
      error
        == .missingColumn(
          file: path, flag: "--conditioning_image_column",
          searched: ["conditioning_image_file_name", "conditioning_image"],
          columns: ["file_name", "hint", "caption"]))
    #expect(error?.description.contains("file_name, hint, caption") == true)
  }

  /// A file, the line at fault, and a piece of what the message must say.
  @Test(arguments: [
    ("metadata.jsonl", "{\"file_name\": \"a\", \n", 1, "end of the text"),
    ("metadata.jsonl", "\n[1]\n", 2, "JSON object"),
    (
      "metadata.jsonl",
      """
      {"file_name": "a.png", "conditioning_image": "a.png", "text": "t"}
      {"file_name": "a.png", "conditioning_image": "a.png"}
      """, 2, "no such key"
    ),
    (
      "metadata.jsonl", #"{"file_name": "a.png", "conditioning_image": "a.png", "text": 7}"#, 1,
      "found     7"
    ),
    (
      "metadata.jsonl", #"{"file_name": "a.png", "conditioning_image": "a.png", "text": []}"#, 1,
      "array of 0"
    ),
    (
      "metadata.jsonl", #"{"file_name": null, "conditioning_image": "a.png", "text": "t"}"#, 1,
      "null"
    ),
    ("metadata.csv", "file_name,file_name\n", 1, "twice"),
    ("metadata.csv", "file_name,text\n\na.png\n", 3, "2 fields"),
    ("metadata.csv", "file_name,text\na.png,\"b\n", 2, "closing quote"),
    ("metadata.csv", "file_name,text\na.png,t\na.png,a \"b\" c\n", 3, "quote"),
    ("metadata.csv", "file_name,text\na.png,\"b\" c\n", 2, "quote"),
    ("metadata.csv", "file_name,text\na.png,b\rc\n", 2, "carriage return"),
  ])
  func `a line that cannot be used is named`(
    name: String, text: String, line: Int, says: String
  ) throws {
    let data = try DataFolder()
    try data.touch("a.png")
    let path = try data.write(text, to: name)
    let error = datasetError { () throws(DatasetError) in try data.open() }
    guard case .malformedRow(let place, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(place == SourceLine(file: path, line: line))
    #expect(error?.description.contains(says) == true, "\(String(describing: error))")
  }

  @Test func `a missing image is named with the line and the place searched`() throws {
    let data = try DataFolder()
    try data.touch("a.png", "b/c.png")
    let path = try data.write(
      "file_name,conditioning_image,text\na.png,a.png,t\na.png,b,t\n", to: "metadata.csv")
    #expect(
      datasetError { () throws(DatasetError) in try data.open() }
        == .missingImage(
          SourceLine(file: path, line: 3), path: data.path + "/b", found: "a folder"))
  }
}
