import CVulkanShaders
import EspalierABI
package import EspalierPluginKit

/// The GLSL that the plugin carries, as it stands in `Shaders/`.
package enum ShaderSource {
  /// By path relative to `Shaders/`: `unary.comp`, `Include/types.glsl`.
  static let files: [String: String] = {
    var files: [String: String] = [:]
    for index in 0..<vs_source_count {
      let source = vs_source_at(index).pointee
      files[String(cString: source.name)] = String(cString: source.text)
    }
    return files
  }()

  /// All shaders, without `.comp`.
  package static var names: [String] {
    files.keys.filter { $0.hasSuffix(".comp") }.map { String($0.dropLast(5)) }.sorted()
  }

  /// A shader's text with its includes in place and its definitions after `#version`.
  package static func text(of variant: ShaderVariant) throws(PluginError) -> String {
    var seen: Set<String> = []
    let text = try expand("\(variant.name).comp", seen: &seen)
    let defines = variant.defines.map { "#define \($0.name) \($0.value)\n" }.joined()
    guard let version = text.range(ofLine: "#version") else {
      throw PluginError(ESP_INTERNAL, "vulkan: shader \(variant.name) has no #version line")
    }
    return text[..<version.upperBound] + defines + text[version.upperBound...]
  }

  /// Every combination of the values that the shader's `//! variants` line lists.
  package static func variants(of name: String) -> [ShaderVariant] {
    let marker = "//! variants"
    let line = files["\(name).comp"]?.split(separator: "\n").first { $0.hasPrefix(marker) } ?? ""
    var combinations: [[ShaderVariant.Define]] = [[]]
    for word in line.dropFirst(marker.count).split(separator: " ") {
      let parts = word.split(separator: "=")
      guard parts.count == 2 else { continue }
      combinations = combinations.flatMap { chosen in
        parts[1].split(separator: ",").compactMap { Int($0) }.map { value in
          chosen + [ShaderVariant.Define(name: String(parts[0]), value: value)]
        }
      }
    }
    return combinations.map { ShaderVariant(name, defines: $0) }
  }

  /// The text of a file, each file included once at most.
  private static func expand(_ path: String, seen: inout Set<String>) throws(PluginError) -> String
  {
    guard seen.insert(path).inserted else { return "" }
    guard let text = files[path] else {
      throw PluginError(ESP_INTERNAL, "vulkan: the plugin carries no shader file \(path)")
    }
    var result = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("#include \""), let end = line.dropFirst(10).firstIndex(of: "\"") {
        let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
        let target = String(line.dropFirst(10)[..<end])
        result += try expand(files[folder + target] == nil ? target : folder + target, seen: &seen)
      } else if !line.hasPrefix("#extension GL_GOOGLE_include_directive") {
        result += line
      }
      result += "\n"
    }
    return result
  }
}

extension String {
  /// The first line that starts with `prefix`, its newline included.
  fileprivate func range(ofLine prefix: String) -> Range<String.Index>? {
    var start = startIndex
    while start < endIndex {
      let end = self[start...].firstIndex(of: "\n").map { index(after: $0) } ?? endIndex
      if self[start...].hasPrefix(prefix) { return start..<end }
      start = end
    }
    return nil
  }
}
