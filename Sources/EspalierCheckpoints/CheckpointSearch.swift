import EspalierTensors
import Glibc

/// Finds the file or index that holds a component's weights.
struct CheckpointSearch {
  enum Result {
    case file(String)
    case index(String)
  }

  let result: Result

  init(folder: String, baseNames: [String], variant: String?) throws(CheckpointError) {
    let found = try Self.list(folder)
    var searched: [String] = []
    for base in baseNames {
      let file = base + (variant.map { "." + $0 } ?? "") + ".safetensors"
      let indices =
        variant.map {
          ["\(base).safetensors.index.\($0).json", "\(base).\($0).safetensors.index.json"]
        } ?? ["\(base).safetensors.index.json"]
      searched += [file, indices[0]]
      if found.contains(file) {
        result = .file(folder + "/" + file)
        return
      }
      if let index = indices.first(where: found.contains) {
        result = .index(folder + "/" + index)
        return
      }
    }
    throw .noWeights(
      folder: folder, searched: searched, found: found,
      hint: Self.hint(found: found, baseNames: baseNames, variant: variant))
  }

  private static func list(_ folder: String) throws(CheckpointError) -> [String] {
    guard let stream = opendir(folder) else {
      throw .file(FileError(path: folder, operation: "list", code: errno))
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  private static func hint(found: [String], baseNames: [String], variant: String?) -> String {
    let pickled = found.filter { name in
      [".bin", ".ckpt", ".pt", ".pth"].contains { name.hasSuffix($0) }
    }
    let safetensors = found.filter { $0.hasSuffix(".safetensors") || $0.contains(".index.") }
    if let variant, let base = baseNames.first(where: { found.contains($0 + ".safetensors") }) {
      return "there is no variant \"\(variant)\"; leave it out to use \(base).safetensors"
    }
    for base in baseNames where variant == nil {
      if let file = safetensors.first(where: { $0.hasPrefix(base + ".") }) {
        let variant = file.split(separator: ".").dropLast().last ?? ""
        return "there is a variant only; ask for the variant \(variant) to use \(file)"
      }
    }
    if let first = pickled.first {
      return "\(pickled.joined(separator: ", ")) can run code when read, so Espalier does not; "
        + "convert \(first) with Diffusers: save_pretrained(…, safe_serialization=True)"
    }
    return found.isEmpty
      ? "the folder is empty; is the download complete?"
      : "is this the folder of the component? A model folder has unet/, vae/, text_encoder/, …"
  }
}
