import EspalierTensors
import Foundation

/// The part of a Markdown file that a measurement owns: between two comments that name it.
package struct MarkdownSection {
  package let name: String
  package let path: String

  package init(name: String, path: String) {
    self.name = name
    self.path = path
  }

  private var begin: String { "<!-- espalier bench: \(name) -->" }
  private var end: String { "<!-- end of espalier bench: \(name) -->" }

  /// Refuses a file without this section.
  ///
  /// - Throws: `MarkdownSectionError.missing`; what reading the file throws.
  package func check() throws { _ = try contents() }

  /// Replaces the section.
  ///
  /// - Throws: `MarkdownSectionError.missing`; what reading and writing the file throws.
  package func write(_ text: String) throws {
    let (file, section) = try contents()
    let new = file[..<section.lowerBound] + "\n\n" + text + "\n\n" + file[section.upperBound...]
    try AtomicFile.write(Array(new.utf8), to: path)
  }

  private func contents() throws -> (file: String, section: Range<String.Index>) {
    let file = try String(contentsOfFile: path, encoding: .utf8)
    guard let first = file.range(of: begin),
      let last = file.range(of: end, range: first.upperBound..<file.endIndex)
    else { throw MarkdownSectionError.missing(path: path, begin: begin, end: end) }
    return (file, first.upperBound..<last.lowerBound)
  }
}

/// A file that has no place for a measurement.
package enum MarkdownSectionError: Error, CustomStringConvertible {
  case missing(path: String, begin: String, end: String)

  package var description: String {
    switch self {
    case .missing(let path, let begin, let end):
      "\(path) has no place for this measurement; expected the lines \(begin) and \(end)"
    }
  }
}
