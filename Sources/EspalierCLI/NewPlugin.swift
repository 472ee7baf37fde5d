import ArgumentParser
import EspalierHost
import Foundation

extension PluginTemplate.Kind: ExpressibleByArgument {}
extension PluginTemplate.Language: ExpressibleByArgument {}

/// `espalier new-plugin`: a plugin to start from, which builds and runs as it is.
struct NewPlugin: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "new-plugin",
    abstract: "Writes out a plugin to start from, with a README that says how to build and use it.")

  @Argument(help: "What it is to be.")
  var kind: PluginTemplate.Kind

  @Argument(
    help: ArgumentHelp(
      "Its name: small letters, digits, '-' and '_', a letter first.", valueName: "name"))
  var name: String

  @Option(help: "The language, of those that there is a template in.")
  var language: PluginTemplate.Language?

  @Option(
    help: ArgumentHelp(
      "Where it goes, by default a folder of its name; nothing is overwritten.", valueName: "dir"))
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Espalier's sources, on which a Swift plugin depends (default: those of this program, if it lies in them).",
      valueName: "dir"))
  var espalier: String?

  func validate() throws {
    let letters = name.utf8.allSatisfy {
      switch $0 {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard letters, name.first?.isLetter == true, name.utf8.count <= 64 else {
      throw ValidationError(
        "the name is '\(name)'; expected at most 64 small letters, digits, '-' and '_', a letter first"
      )
    }
    guard !Self.reserved.contains(name) else {
      throw ValidationError(
        "'\(name)' means something else on the command line; choose another name")
    }
    let languages = PluginTemplate.languages(for: kind)
    if let language, !languages.contains(language) {
      throw ValidationError(
        "there is no template of a \(kind.rawValue) in \(language.rawValue); there is one in "
          + languages.map(\.rawValue).joined(separator: ", "))
    }
  }

  func run() throws {
    let chosen = language ?? PluginTemplate.languages(for: kind).first
    guard let chosen, let template = PluginTemplate(kind, chosen) else {
      throw ValidationError("there is no template of a \(kind.rawValue)")
    }
    let folder = output ?? name
    let files = template.files(
      named: name, espalier: chosen == .swift ? try sources() : nil)
    for path in try PluginTemplate.write(files, to: folder) { print(path) }
    StandardError.write("\(folder)/README.md says how to build and use it")
  }

  /// What `--backend`, `--report_to` and the rest take for no plugin.
  private static let reserved = ["all", "auto", "none"]

  /// The absolute path of Espalier's sources.
  private func sources() throws -> String {
    if let espalier {
      let path = URL(fileURLWithPath: espalier).standardizedFileURL.path
      guard Self.hasSources(path) else {
        throw ValidationError(
          "--espalier is '\(espalier)'; expected Espalier's folder, with Package.swift and \(Self.kit)"
        )
      }
      return path
    }
    var folder = URL(fileURLWithPath: PluginSearchPath.processExecutable() ?? "/")
    while folder.path != "/" {
      folder.deleteLastPathComponent()
      if Self.hasSources(folder.path) { return folder.path }
    }
    throw ValidationError(
      "a plugin in Swift depends on Espalier's sources: say with --espalier where they are, or take another --language"
    )
  }

  private static let kit = "Sources/EspalierPluginKit"

  private static func hasSources(_ folder: String) -> Bool {
    ["Package.swift", kit].allSatisfy {
      FileManager.default.fileExists(atPath: folder + "/" + $0)
    }
  }
}
