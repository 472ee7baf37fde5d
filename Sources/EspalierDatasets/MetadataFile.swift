import Glibc

/// Finds the file that lists a folder's images.
struct MetadataFile {
  /// The names that are looked for, in the folder and in its `train/`; a `metadata` file makes a
  /// `prompt.json` beside it irrelevant.
  static let names = ["metadata.jsonl", "metadata.csv", "prompt.json"]

  let path: String
  let layout: MetadataLayout

  /// The folder that relative paths in the file start from.
  var folder: String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
  }

  init(in folder: String) throws(DatasetError) {
    guard let kind = FileKind(of: folder) else {
      throw .noFolder(path: folder, found: "nothing")
    }
    guard kind == .folder else { throw .noFolder(path: folder, found: kind.description) }
    let base = folder.count > 1 && folder.last == "/" ? String(folder.dropLast()) : folder
    let places = [base, base + "/train"]
    for (names, layout) in [
      (Self.names.prefix(2), MetadataLayout.imageFolder), (Self.names.suffix(1), .fill50k),
    ] {
      let found = places.flatMap { place in names.map { place + "/" + $0 } }
        .filter { FileKind(of: $0) == .file }
      guard found.count <= 1 else { throw .ambiguousMetadata(files: found) }
      if let path = found.first {
        self.path = path
        self.layout = layout
        return
      }
    }
    throw .noMetadata(folder: folder, found: Self.summary(of: base))
  }

  /// The names in a folder, sorted and cut short, folders with a slash.
  private static func summary(of folder: String) -> [String] {
    let longest = 20
    var names: [String] = []
    guard let stream = opendir(folder) else { return [] }
    defer { closedir(stream) }
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." {
        names.append(FileKind(of: folder + "/" + name) == .folder ? name + "/" : name)
      }
    }
    names.sort()
    return names.count <= longest
      ? names : names.prefix(longest) + ["… (\(names.count) in all)"]
  }
}

/// What a path leads to.
enum FileKind: String, CustomStringConvertible {
  case file = "a file"
  case folder = "a folder"
  case other = "neither a file nor a folder"

  /// Nil if there is nothing, or nothing that may be looked at.
  init?(of path: String) {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: self = .file
    case S_IFDIR: self = .folder
    default: self = .other
    }
  }

  var description: String { rawValue }
}
