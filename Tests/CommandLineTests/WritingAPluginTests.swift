import Foundation
import TestSupport
import Testing

/// `Docs/WritingAPlugin.md` shows nothing that is not compiled and run.
@Suite struct WritingAPluginTests {
  @Test func `all code of the page stands in a template or a plugin`() throws {
    let docs = Fixtures.project + "/Docs"
    let page = try String(contentsOfFile: docs + "/WritingAPlugin.md", encoding: .utf8)
    var sources = ""
    for folder in [docs + "/Templates", Fixtures.project + "/Plugins/LoggerCSV"] {
      for case let file as String in try #require(FileManager.default.enumerator(atPath: folder)) {
        guard ["swift", "c", "cpp"].contains((file as NSString).pathExtension) else { continue }
        sources += try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
      }
    }
    let blocks = page.components(separatedBy: "\n```").enumerated()
      .filter { !$0.offset.isMultiple(of: 2) }.map(\.element)
      .filter { ["swift\n", "c\n", "c++\n"].contains(where: $0.hasPrefix) }
    #expect(blocks.count > 6)
    for block in blocks {
      let code = block.drop { $0 != "\n" }.dropFirst()
      #expect(sources.contains(code), Comment(rawValue: block))
    }
  }
}
