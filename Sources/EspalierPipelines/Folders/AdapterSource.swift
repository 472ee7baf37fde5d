public import EspalierCheckpoints
import EspalierModels
import EspalierTensors

/// An adapter on disk, opened and not read: a folder, or a single file in Diffusers' layout or its authors'.
public struct AdapterSource: Sendable {
  /// The folder with the configuration, or the file.
  public let path: String
  /// `config.json`, or what takes its place for a single file.
  public let configuration: JSONObject
  public let checkpoint: Checkpoint

  /// - Parameter path: A folder with `config.json` and weights in it or in `t2iadapter/`, as training states have
  ///   them; or a `.safetensors` file.
  /// - Throws: `PipelineError.folderNotFound`, `.notAModel`; `CheckpointError`.
  public init(path: String) throws {
    let setting = "--adapter_model_name_or_path"
    if FileSystem.isFile(path) {
      let file = try SafetensorsFile(path: path)
      self.path = path
      configuration = try Self.configuration(of: file, setting: setting)
      checkpoint = Checkpoint(file)
      return
    }
    guard FileSystem.isFolder(path) else {
      throw PipelineError.folderNotFound(path: path, setting: setting)
    }
    let inner = FileSystem.join(path, "t2iadapter")
    let folders = [path, inner]
    guard
      let folder = folders.first(where: { FileSystem.isFile(FileSystem.join($0, "config.json")) })
    else {
      throw PipelineError.notAModel(
        path: path, setting: setting, expected: "config.json in it", found: "none",
        hint:
          "an adapter is a folder with config.json and diffusion_pytorch_model.safetensors, or a "
          + ".safetensors file")
    }
    self.path = folder
    configuration = try JSONObject(contentsOf: FileSystem.join(folder, "config.json"))
    checkpoint = try Checkpoint(folder: folder)
  }

  private static func configuration(of file: SafetensorsFile, setting: String) throws -> JSONObject
  {
    guard let adapter = try T2IAdapterConfiguration(file: file),
      let members = adapter.json.members
    else {
      throw PipelineError.notAModel(
        path: file.path, setting: setting, expected: "a T2I-Adapter",
        found: FileIdentity(file.entries).description,
        hint: "'espalier inspect' tells what a file holds")
    }
    return JSONObject(members, path: file.path)
  }
}
