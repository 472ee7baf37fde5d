import EspalierBench
import Foundation
import TestSupport
import Testing

@Suite("Tables of a benchmark in a document") struct MarkdownSectionTests {
  private let folder: TemporaryFolder
  private var path: String { folder.file("page.md") }

  init() throws {
    folder = try temporaryFolder()
    let text = """
      # Page

      <!-- espalier bench: 512 -->
      old
      <!-- end of espalier bench: 512 -->

      between

      <!-- espalier bench: goals -->
      <!-- end of espalier bench: goals -->

      last

      """
    try text.write(toFile: path, atomically: true, encoding: .utf8)
  }

  @Test func `only the named part is replaced, as often as one likes`() throws {
    let section = MarkdownSection(name: "512", path: path)
    try section.write("first")
    try section.write("second")
    #expect(
      try String(contentsOfFile: path, encoding: .utf8) == """
        # Page

        <!-- espalier bench: 512 -->

        second

        <!-- end of espalier bench: 512 -->

        between

        <!-- espalier bench: goals -->
        <!-- end of espalier bench: goals -->

        last

        """)
  }

  @Test func `a page without the part is refused and left alone`() throws {
    let before = try String(contentsOfFile: path, encoding: .utf8)
    let section = MarkdownSection(name: "1024", path: path)
    #expect(throws: MarkdownSectionError.self) { try section.check() }
    #expect(throws: MarkdownSectionError.self) { try section.write("new") }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == before)
  }

  @Test func `the project's own page has a place for every table that make bench-peers writes`()
    throws
  {
    for name in ["goals", "mini"] {
      try MarkdownSection(name: name, path: Fixtures.project + "/Docs/Performance.md").check()
    }
  }
}
