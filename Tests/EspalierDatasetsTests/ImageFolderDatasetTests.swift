import EspalierDatasets
import TestSupport
import Testing

@Suite("ImageFolderDataset") struct ImageFolderDatasetTests {
  @Test(arguments: ["", "train/"])
  func `reads metadata in JSON lines, with one caption or several`(place: String) throws {
    let data = try DataFolder()
    try data.touch("\(place)a.png", "\(place)b.png", "\(place)edges/a.png", "\(place)edges/b.png")
    try data.write(
      """
      {"file_name": "a.png", "conditioning_image_file_name": "edges/a.png", "text": "a \\"house\\""}

      {"file_name": "b.png", "conditioning_image_file_name": "edges/b.png", "text": ["one", "two"]}
      """, to: "\(place)metadata.jsonl")
    let samples = try data.open().samples
    let base = data.path + (place.isEmpty ? "" : "/train")
    #expect(samples.map(\.imagePath) == [base + "/a.png", base + "/b.png"])
    #expect(samples.map(\.conditioningImagePath) == [base + "/edges/a.png", base + "/edges/b.png"])
    #expect(samples.map(\.captions) == [["a \"house\""], ["one", "two"]])
    #expect(samples.map(\.source.line) == [1, 3])
  }

  @Test func `reads metadata in CSV with quotes, commas and line ends inside fields`() throws {
    let data = try DataFolder()
    try data.touch("a.png", "b,c.png", "d.png", "control.png")
    try data.write(
      "\u{FEFF}file_name,conditioning_image_file_name,text\r\n"
        + "a.png,control.png,\"a \"\"red\"\" house,\r\non a hill\"\r\n\r\n"
        + "\"b,c.png\",control.png,plain\u{2028}é\r\n" + "d.png,control.png,", to: "metadata.csv")
    let samples = try data.open().samples
    #expect(
      samples.map(\.captions) == [["a \"red\" house,\r\non a hill"], ["plain\u{2028}é"], [""]])
    #expect(
      samples.map(\.imagePath).map { String($0.dropFirst(data.path.count + 1)) } == [
        "a.png", "b,c.png", "d.png",
      ])
    #expect(samples.map(\.source.line) == [2, 5, 6])
  }

  @Test func `reads fill50k's prompt.json, source being the control image`() throws {
    let data = try DataFolder()
    try data.touch("source/0.png", "target/0.png")
    let path = try data.write(
      #"{"source": "source/0.png", "target": "target/0.png", "prompt": "tan circle"}"#,
      to: "prompt.json")
    #expect(
      try data.open().samples == [
        TrainingSample(
          imagePath: data.path + "/target/0.png",
          conditioningImagePath: data.path + "/source/0.png", captions: ["tan circle"],
          source: SourceLine(file: path, line: 1))
      ])
  }

  @Test func `named columns hold a path or end in _file_name`() throws {
    let data = try DataFolder()
    try data.touch("a.png", "b.png")
    try data.write(
      #"{"photo_file_name": "a.png", "depth": "b.png", "note": "n", "text": "t"}"#,
      to: "metadata.jsonl")
    let columns = DatasetColumns(image: "photo", conditioningImage: "depth", caption: "note")
    let sample = try #require(try data.open(columns).samples.first)
    #expect(
      sample.imagePath.hasSuffix("/a.png") && sample.conditioningImagePath.hasSuffix("/b.png"))
    #expect(sample.captions == ["n"])
  }

  @Test func `follows absolute paths and keeps equal rows`() throws {
    let (data, other) = (try DataFolder(), try DataFolder())
    try other.touch("x.png")
    let path = other.path + "/x.png"
    let line = #"{"file_name": "\#(path)", "conditioning_image": "\#(path)", "text": "t"}"#
    try data.write(line + "\n" + line + "\n", to: "metadata.jsonl")
    let samples = try data.open().samples
    #expect(samples.map(\.imagePath) == [path, path])
    #expect(samples.map(\.conditioningImagePath) == [path, path])
  }

  @Test func `metadata win over a prompt.json beside them`() throws {
    let data = try DataFolder()
    try data.touch("a.png", "prompt.json")
    try data.write("file_name,conditioning_image,text\na.png,a.png,t\n", to: "metadata.csv")
    #expect(try data.open().metadataPath == data.path + "/metadata.csv")
  }
}
