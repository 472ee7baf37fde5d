import CEspalierTemplates
import EspalierTensors
import Foundation

/// A folder of `Docs/Templates`, which the program carries inside.
struct PluginTemplate {
  enum Kind: String, CaseIterable {
    case backend, scheduler, logger
  }

  enum Language: String, CaseIterable {
    case swift, c
    case cxx = "c++"

    fileprivate var folder: String { self == .cxx ? "cpp" : rawValue }
  }

  let kind: Kind
  let language: Language
  private let files: [(path: String, text: String)]

  /// The languages that a kind has a template in, the first one by default.
  static func languages(for kind: Kind) -> [Language] {
    Language.allCases.filter { PluginTemplate(kind, $0) != nil }
  }

  /// Nil if there is none.
  init?(_ kind: Kind, _ language: Language) {
    self.kind = kind
    self.language = language
    let folder = "\(kind.rawValue)-\(language.folder)/"
    var files: [(path: String, text: String)] = []
    var index = 0
    while let file = espalier_template_file_at(index)?.pointee {
      let path = String(cString: file.path)
      if path.hasPrefix(folder) {
        files.append((String(path.dropFirst(folder.count)), String(cString: file.text)))
      } else if path == Self.header && language != .swift {
        files.append((path, String(cString: file.text)))
      }
      index += 1
    }
    guard files.contains(where: { $0.path != Self.header }) else { return nil }
    self.files = files
  }

  private static let header = "espalier_plugin.h"

  /// The files with the names filled in, by path.
  ///
  /// - Parameter espalier: Espalier's folder, for a Swift package.
  func files(named name: String, espalier: String?) -> [(path: String, text: String)] {
    let typeName = name.split { $0 == "-" || $0 == "_" }
      .map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    func filled(_ text: String) -> String {
      text.replacingOccurrences(of: "Example", with: typeName)
        .replacingOccurrences(of: "example", with: name)
    }
    return files.map { path, text in
      if path == Self.header { return (path, text) }
      guard let espalier, path == "Package.swift" else { return (filled(path), filled(text)) }
      let literal = espalier.replacingOccurrences(of: "\\", with: "\\\\")
        .replacingOccurrences(of: "\"", with: "\\\"")
      return (
        path,
        filled(text).replacingOccurrences(of: "path: \"../../..\"", with: "path: \"\(literal)\"")
      )
    }
  }
}

/// Why a template cannot be written out.
enum TemplateError: Error, CustomStringConvertible {
  case exists(String)
  case folder(String, reason: String)

  var description: String {
    switch self {
    case .exists(let path):
      "\(path) is there already; nothing was written: choose another --output"
    case .folder(let path, let reason): "cannot make the folder \(path): \(reason)"
    }
  }
}

extension PluginTemplate {
  /// Writes the files into a folder, which is made if it is not there; never over what is there.
  ///
  /// - Returns: The paths of the files.
  /// - Throws: `TemplateError`, `FileError`.
  static func write(_ files: [(path: String, text: String)], to folder: String) throws -> [String] {
    let paths = files.map { folder + "/" + $0.path }
    for path in paths where FileManager.default.fileExists(atPath: path) {
      throw TemplateError.exists(path)
    }
    for (path, file) in zip(paths, files) {
      let parent = (path as NSString).deletingLastPathComponent
      do {
        try FileManager.default.createDirectory(
          atPath: parent, withIntermediateDirectories: true)
      } catch {
        throw TemplateError.folder(parent, reason: error.localizedDescription)
      }
      try AtomicFile.write(file.text, to: path)
    }
    return paths
  }
}
