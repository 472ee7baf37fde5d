import EspalierCheckpoints
import EspalierGraph
import EspalierHost
import EspalierModels
import EspalierTensors
import Synchronization
import TestSupport
import Testing

/// Runs graphs with a golden model's weights on the backend under test.
final class GoldenRun {
  /// The open device of each backend, by name.
  private static let devices = Mutex<[String: ComputeDevice]>([:])

  private static func device() throws -> ComputeDevice {
    try devices.withLock { devices in
      if let open = devices[TestBackend.current] { return open }
      let choice = try PluginRegistry().backend(named: TestBackend.current)
      let device = try ComputeDevice(choice.backend, choice.device)
      devices[TestBackend.current] = device
      return device
    }
  }

  let graph = GraphBuilder()
  private var checkpoints: [String: CheckpointView] = [:]
  private var inputs: [String: HostTensor] = [:]

  /// The model in a golden folder, its parameters under `component`.
  func model<M: Model>(_ type: M.Type, folder: String, component: String) throws -> M {
    let folder = Fixtures.path(folder)
    let configuration = try M.Configuration(JSONObject(contentsOf: folder + "/config.json"))
    checkpoints[component] = try M.weights(folder: folder, configuration)
    return M(graph.scope(component), configuration)
  }

  /// An input of the graph with its value.
  func input(_ name: String, _ tensor: HostTensor) -> Value {
    inputs[name] = tensor
    return graph.input(name, tensor.shape, dtype: tensor.dtype)
  }

  /// The values of the outputs.
  func run(_ outputs: [String: Value]) throws -> [String: HostTensor] {
    for (name, value) in outputs.sorted(by: { $0.key < $1.key }) { graph.output(name, value) }
    let device = try Self.device()
    let weights = DeviceWeights(device) { [checkpoints] path in
      let parts = path.split(separator: ".", maxSplits: 1)
      guard let checkpoint = checkpoints[String(parts[0])] else {
        throw CheckpointError.missingTensor(path: "the goldens", tensor: path, near: [])
      }
      return try checkpoint.tensor(String(parts[1]))
    }
    return try Executable(graph.lowered(), on: device, weights: weights).run(inputs)
  }
}

/// Expects a result of the graph to agree with its golden, whose maps are NCHW.
func expectGolden(
  _ actual: HostTensor?, _ expected: HostTensor, _ label: String,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let actual = try #require(actual, "\(label)", sourceLocation: sourceLocation)
  let isMap = expected.shape.rank == 4
  let values = isMap ? actual.channelsFirst().floats() : actual.floats()
  if Fixtures.isFullSize { print("\(label): \(relativeL2(values, expected.floats()))") }
  expectClose(
    values, expected.floats(), relativeL2: 1e-4, label, sourceLocation: sourceLocation)
  if isMap {
    #expect(
      actual.channelsFirst().shape == expected.shape, "\(label)", sourceLocation: sourceLocation)
  }
}
