import EspalierCheckpoints
public import EspalierModels
public import EspalierTensors
import Foundation

/// Writes an adapter in Diffusers' layout or in its authors', of whichever it is.
///
/// Bytes and types of the weights stay as they are unless another type is asked for. A file in the authors' layout
/// carries the configuration in its metadata, so that nothing is lost on the way back.
public struct AdapterConversion: Sendable {
  private let configuration: T2IAdapterConfiguration
  private let weights: CheckpointView
  private let dtype: DType?

  /// - Parameter dtype: The type that the weights are converted to; nil keeps the file's.
  /// - Throws: `ModelError.wrongRole` if it is no T2I-Adapter; `CheckpointError` if weights and configuration do not
  ///   fit.
  public init(_ source: AdapterSource, dtype: DType? = nil) throws {
    let json = source.configuration
    guard try ModelRegistry.standard.model(for: json) is T2IAdapter.Type else {
      throw ModelError.wrongRole(
        path: json.path, found: json.className ?? "", role: T2IAdapter.className)
    }
    configuration = try T2IAdapterConfiguration(json)
    weights = source.checkpoint.view(configuration.keyMap)
    self.dtype = dtype
    try LoadReport(
      model: T2IAdapter.className, required: T2IAdapter.parameters(configuration),
      checkpoint: weights
    ).check()
  }

  /// Writes the adapter.
  ///
  /// - Parameters:
  ///   - layout: Diffusers', a new folder with `config.json`; or the authors', one new file.
  ///   - path: The folder or file.
  /// - Throws: `PipelineError.folderNotEmpty`, `.diskSpace`; `FileError`; `CheckpointError.nonFinite` for a number that
  ///   the type cannot hold.
  public func write(_ layout: FileIdentity.Layout, to path: String) throws {
    switch layout {
    case .diffusers:
      let tensors = try tensors { $0 }
      let size = tensors.reduce(1 << 20) { $0 + $1.tensor.byteCount }
      try NewFolder.write(to: path, byteCount: size) { folder in
        try configuration.json.write(to: folder + "/config.json")
        try SafetensorsWriter.write(
          tensors, to: folder + "/diffusion_pytorch_model.safetensors")
      }
    case .original:
      guard !FileManager.default.fileExists(atPath: path) else {
        throw FileError(path: path, operation: "create", code: EEXIST)
      }
      var metadata = SafetensorsWriter.defaultMetadata
      metadata[T2IAdapterConfiguration.metadataKey] = configuration.json.text
      try SafetensorsWriter.write(
        tensors(named: configuration.originalName), metadata: metadata, to: path)
    }
  }

  private func tensors(
    named name: (String) -> String
  ) throws -> [(name: String, tensor: HostTensor)] {
    try T2IAdapter.parameters(configuration).map { key, _ in
      let tensor = try weights.tensor(key)
      guard let dtype, dtype != tensor.dtype else { return (name(key), tensor) }
      let converted = tensor.converted(to: dtype)
      if let index = converted.firstNonFinite() {
        throw CheckpointError.nonFinite(
          path: "\(weights.checkpoint.path), converted to \(dtype.rawValue)", tensor: key,
          index: index)
      }
      return (name(key), converted)
    }
  }
}
