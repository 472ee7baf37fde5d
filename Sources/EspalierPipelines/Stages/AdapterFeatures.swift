import EspalierCheckpoints
import EspalierGraph
public import EspalierHost
import EspalierModels
public import EspalierTensors

/// Computes the feature maps that adapters add to the UNet, once for each set of control images.
///
/// Several adapters act as Diffusers' `MultiAdapter`: their maps are weighted and summed.
public final class AdapterFeatures {
  /// The shapes `[1, h, w, C]` of the maps, outermost first.
  public let shapes: [Shape]
  private let executable: Executable

  /// - Parameters:
  ///   - adapters: At least one.
  ///   - height: Of the picture, in pixels; as `width` a multiple of the adapters' downscale factors.
  /// - Throws: `ModelError.incompatibleAdapters`, `CheckpointError`, `GraphError`, `BackendError`.
  public init(
    _ adapters: [AdapterComponent], height: Int, width: Int, device: ComputeDevice,
    arenas: ArenaPool? = nil
  ) throws {
    precondition(!adapters.isEmpty, "no adapter")
    let program = try Self.program(adapters, height: height, width: width)
    let outputs = program.tensors(.output)
    shapes = (0..<outputs.count).compactMap { k in
      outputs["feature.\(k)"].map { program.tensors[$0].spec.shape }
    }
    executable = try Executable(
      program, on: device, weights: Self.weights(adapters, device), arenas: arenas, name: Self.name)
  }

  /// For messages.
  static let name = "the adapter"

  /// The maps are the outputs `feature.0`, `feature.1`, ….
  static func program(
    _ adapters: [AdapterComponent], height: Int, width: Int
  ) throws -> GraphProgram {
    let graph = GraphBuilder()
    let models = adapters.indices.map { adapters[$0].declare(graph.scope("adapter\($0)")) }
    let images = adapters.indices.map { k in
      graph.input("image.\(k)", [1, height, width, adapters[k].configuration.inChannels])
    }
    let scales = adapters.indices.map { graph.input("scale.\($0)", [1]) }
    let maps = try MultiAdapter(models).features(of: images, weights: scales)
    for (k, map) in maps.enumerated() { graph.output("feature.\(k)", map) }
    return try graph.lowered()
  }

  static func weights(_ adapters: [AdapterComponent], _ device: ComputeDevice) -> DeviceWeights {
    DeviceWeights(device, Weights(adapters: adapters))
  }

  /// The weights of several adapters under `adapter0.`, `adapter1.`, ….
  private struct Weights: WeightSource {
    let adapters: [AdapterComponent]

    func storage(of path: String) throws -> WeightStorage {
      let (index, key) = place(path)
      return try adapters[index].storage(key: key)
    }

    func tensor(_ path: String) throws -> HostTensor {
      let (index, key) = place(path)
      return try adapters[index].tensor(key: key)
    }

    private func place(_ path: String) -> (index: Int, key: String) {
      let parts = path.split(separator: ".", maxSplits: 1)
      guard let index = Int(parts[0].dropFirst("adapter".count)) else {
        preconditionFailure("the graph asks for \(path)")
      }
      return (index, String(parts[1]))
    }
  }

  /// The weighted sums of the adapters' maps.
  ///
  /// - Parameters:
  ///   - images: f32 `[1, height, width, inChannels]` in 0…1, one for each adapter; see `ControlImage`.
  ///   - scales: One for all adapters or one for each.
  /// - Throws: `BackendError`; `PipelineError.notFinite`.
  public func callAsFunction(
    _ images: [HostTensor], scales: [Double], profile: ExecutionProfile? = nil
  ) throws -> [HostTensor] {
    var values: [String: HostTensor] = [:]
    for (k, image) in images.enumerated() {
      values["image.\(k)"] = image
      let scale = scales.count == 1 ? scales[0] : scales[k]
      values["scale.\(k)"] = HostTensor([Float(scale)], shape: [1])
    }
    let outputs = try executable.run(values, profile: profile)
    return try shapes.indices.map { k in
      guard let map = outputs["feature.\(k)"] else {
        preconditionFailure("feature.\(k) is not an output")
      }
      guard map.firstNonFinite() == nil else {
        throw PipelineError.notFinite(
          component: "adapter", hint: "try --mixed_precision no or bf16")
      }
      return map
    }
  }
}
