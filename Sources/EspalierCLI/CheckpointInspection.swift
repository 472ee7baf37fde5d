import EspalierCheckpoints
import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierPresets
import EspalierTensors

/// The tensors of a checkpoint as text; reads headers only.
struct CheckpointInspection {
  let listsTensors: Bool

  /// Files, numbers of tensors and parameters, bytes by type, metadata, and on request every tensor.
  func lines(of checkpoint: Checkpoint) throws -> [String] {
    let entries = checkpoint.entries
    var bytes: [String: Int] = [:]
    for entry in entries.values { bytes[entry.dtypeName, default: 0] += entry.byteRange.count }
    let parameters = entries.values.reduce(0) { $0 + $1.shape.count }
    let types = bytes.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\(ByteCount($0.value)) \($0.key)" }.joined(separator: ", ")
    var lines = checkpoint.files.map { "file      \($0)" }
    if !entries.isEmpty { lines.append("this is   \(FileIdentity(entries))") }
    lines.append("tensors   \(entries.count)")
    lines.append("numbers   \(parameters)" + Self.rounded(parameters))
    lines.append("bytes     \(types.isEmpty ? "none" : types)")
    for file in checkpoint.files {
      for (key, value) in try SafetensorsFile(path: file).metadata.sorted(by: { $0.key < $1.key }) {
        lines.append("metadata  \(key): \(value)")
      }
    }
    if listsTensors {
      let rows = entries.sorted { $0.key < $1.key }
        .map { ($0.key, "\($0.value.dtypeName) \($0.value.shape)") }
      lines += InspectedConfiguration.table(rows).map { "  " + $0 }
    }
    return lines
  }

  /// Whether the weights fill the model that the configuration names; nothing for models not known.
  func fit(_ checkpoint: Checkpoint, _ json: JSONObject) -> [String] {
    guard let model = try? ModelRegistry.standard.model(for: json) else { return [] }
    return Self.fit(model, checkpoint, json)
  }

  /// Whether a file by itself fills what it seems to be; nothing for what has no known configuration.
  func fit(file path: String, _ checkpoint: Checkpoint) -> [String] {
    do {
      switch FileIdentity(checkpoint.entries) {
      case .model(.sdxl):
        let model = try DiffusionFolder(path: path)
        return try [DiffusionFolder.Component.unet, .vae, .textEncoder, .textEncoder2].map {
          let weights = try model.checkpoint(of: $0)
          let fit = fit(weights, try model.configuration(of: $0))
          return "\($0.rawValue): \(fit.joined(separator: "\n"))"
        }
      case .vae(_, .original):
        guard let json = try ModelPreset.named("sdxl-base-1.0")?.json("vae/config.json") else {
          return []
        }
        return fit(
          try VAEFile.checkpoint(path: path, configuration: AutoencoderKLConfiguration(json)), json)
      case .adapter:
        return fit(checkpoint, try AdapterSource(path: path).configuration)
      default: return []
      }
    } catch {
      return ["fit       no: \(error)"]
    }
  }

  private static func fit<M: Model>(
    _: M.Type, _ checkpoint: Checkpoint, _ json: JSONObject
  ) -> [String] {
    do {
      let configuration = try M.Configuration(json)
      let report = LoadReport(
        model: M.className, required: M.parameters(configuration),
        checkpoint: checkpoint.view(configuration.keyMap))
      return report.fits
        ? ["fit       every tensor, and none is missing"] : ["fit       no: \(report)"]
    } catch {
      return ["fit       no: \(error)"]
    }
  }

  /// ` (2.57 B)` beside a large number.
  private static func rounded(_ count: Int) -> String {
    let units = [(1_000_000_000, "B"), (1_000_000, "M"), (1000, "k")]
    guard let (size, name) = units.first(where: { count >= $0.0 }) else { return "" }
    let hundredths = (Double(count) / Double(size) * 100).rounded() / 100
    return " (\(hundredths) \(name))"
  }
}
