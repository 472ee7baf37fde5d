import Glibc
import VulkanShaders

/// Compiles every variant of every shader and writes the SPIR-V to a folder, for `spirv-val`.
///
/// Usage: `vulkan-shader-check FOLDER`. Prints each file that it wrote; ends with 1 if a shader is refused.
@main
enum ShaderCheck {
  static func main() {
    guard CommandLine.arguments.count == 2 else {
      print("usage: vulkan-shader-check FOLDER")
      exit(2)
    }
    let folder = CommandLine.arguments[1]
    mkdir(folder, 0o777)
    var refused = 0
    for name in ShaderSource.names {
      for (index, variant) in ShaderSource.variants(of: name).enumerated() {
        do {
          let source = try ShaderSource.text(of: variant)
          try compile(source, variant, to: "\(folder)/\(name)-\(index).spv")
          guard ShaderSource.isUnrolled(name) else { continue }
          let fixed = try ShaderSource.text(of: variant, constants: [64, 1, 1])
          try compile(fixed, variant, to: "\(folder)/\(name)-\(index)-fixed.spv")
        } catch {
          refused += 1
          print("\(error)")
        }
      }
    }
    exit(refused == 0 ? 0 : 1)
  }

  private static func compile(
    _ source: String, _ variant: ShaderVariant, to path: String
  ) throws {
    try write(try ShaderCompiler.compile(source, name: "\(variant)"), to: path)
  }

  private struct WriteFailure: Error, CustomStringConvertible {
    let path: String
    let code: Int32
    var description: String { "cannot write \(path): \(String(cString: strerror(code)))" }
  }

  private static func write(_ words: [UInt32], to path: String) throws {
    guard let file = fopen(path, "wb") else { throw WriteFailure(path: path, code: errno) }
    let written = fwrite(words, 4, words.count, file)
    guard fclose(file) == 0, written == words.count else {
      throw WriteFailure(path: path, code: errno)
    }
    print(path)
  }
}
