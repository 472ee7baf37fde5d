import EspalierCheckpoints
import EspalierModels
import Foundation

/// The contents of a model, component or training-state folder as text.
struct FolderInspection {
  let listsTensors: Bool

  /// A model's components, a component's configuration and weights, or everything readable in another folder.
  func lines(of path: String) throws -> [String] {
    let index = path + "/model_index.json"
    if FileManager.default.fileExists(atPath: index) { return try model(path, index) }
    if configuration(in: path) != nil { return try component(path) }
    return try others(path)
  }

  private func model(_ path: String, _ index: String) throws -> [String] {
    let json = try JSONObject(contentsOf: index)
    let name = json.className.map(BaseModel.described(pipeline:))
    var lines = ["model     \(path)", "class     \(name ?? "not named")"]
    for key in json.keys where !key.hasPrefix("_") {
      guard let value = json.value(key), value.array == nil else { continue }
      lines.append("\(key)  \(InspectedConfiguration.text(value))")
    }
    for name in try folders(in: path) {
      lines += ["", name] + (try component(path + "/" + name).map { "  " + $0 })
    }
    return lines
  }

  /// A folder with a configuration, weights, both or neither.
  private func component(_ path: String) throws -> [String] {
    var lines: [String] = []
    let json = try configuration(in: path).map { try JSONObject(contentsOf: $0) }
    if let json { lines += InspectedConfiguration(json).lines }
    let inspection = CheckpointInspection(listsTensors: listsTensors)
    let checkpoints = try checkpoints(in: path)
    for checkpoint in checkpoints {
      lines += try inspection.lines(of: checkpoint)
      if let json { lines += inspection.fit(checkpoint, json) }
    }
    if json == nil && checkpoints.isEmpty {
      lines.append("files     " + (try names(in: path).joined(separator: ", ")))
    }
    return lines
  }

  /// The component's weights; with a variant only, or under other names, every file by itself.
  private func checkpoints(in path: String) throws -> [Checkpoint] {
    let whole = Result { try Checkpoint(folder: path) }
    if case .failure(CheckpointError.noWeights) = whole {
      return try files(in: path, ending: ".safetensors").map { try Checkpoint(file: $0) }
    }
    return [try whole.get()]
  }

  /// A training state or another folder: its JSON files, its weights, and the same of its folders.
  private func others(_ path: String) throws -> [String] {
    var lines = ["folder    \(path)"]
    if FileManager.default.fileExists(atPath: path + "/training_state.json") {
      lines.append("this is   a training state")
    }
    for file in try files(in: path, ending: ".json") {
      // A JSON file need not be an object.
      guard let json = try? JSONObject(contentsOf: file) else { continue }
      let rows = json.keys.compactMap { key in
        json.value(key).map { (key, InspectedConfiguration.text($0)) }
      }
      lines += ["", "file      \(file)"] + InspectedConfiguration.table(rows).map { "  " + $0 }
    }
    let inspection = CheckpointInspection(listsTensors: listsTensors)
    for file in try files(in: path, ending: ".safetensors") {
      lines += [""] + (try inspection.lines(of: Checkpoint(file: file)))
    }
    for name in try folders(in: path) {
      let inner = path + "/" + name
      let weights = try files(in: inner, ending: ".safetensors")
      if configuration(in: inner) != nil || !weights.isEmpty {
        lines += ["", name] + (try component(inner).map { "  " + $0 })
      }
    }
    if lines.count == 1 {
      lines.append("files     " + (try names(in: path).joined(separator: ", ")))
    }
    return lines
  }

  private func configuration(in path: String) -> String? {
    ["config.json", "scheduler_config.json", "tokenizer_config.json"].map { path + "/" + $0 }
      .first { FileManager.default.fileExists(atPath: $0) }
  }

  private func names(in path: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }

  private func files(in path: String, ending: String) throws -> [String] {
    try names(in: path).filter { $0.hasSuffix(ending) }.map { path + "/" + $0 }
  }

  private func folders(in path: String) throws -> [String] {
    try names(in: path).filter {
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: path + "/" + $0, isDirectory: &isFolder)
        && isFolder.boolValue
    }
  }
}
