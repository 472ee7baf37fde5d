import EspalierGraph
import EspalierHost
import EspalierTensors

/// One operation again and again, its weights in f16.
struct OperationJob: Job {
  private let executable: Executable
  private let inputs: [String: HostTensor]
  private var output: HostTensor?

  init(_ place: Workplace, _ shape: OperationShape) throws {
    let program = try shape.program()
    let weights = Dictionary(
      uniqueKeysWithValues: program.tensors(.weight).map { name, index in
        (name, Self.weight(name, program.tensors[index].spec.shape))
      })
    executable = try Executable(
      program, on: place.device,
      weights: DeviceWeights(place.device) { path in weights[path] ?? HostTensor(shape: [1]) },
      name: shape.title)
    inputs = Dictionary(
      uniqueKeysWithValues: program.tensors(.input).map { name, index in
        (name, Waves.tensor(Self.series(name), program.tensors[index].spec.shape))
      })
  }

  /// Scaled so that sums stay near 1.
  private static func weight(_ name: String, _ shape: Shape) -> HostTensor {
    let fanIn = max(shape.count / max(shape.dims.first ?? 1, 1), 1)
    let scale = name == "w" && shape.dims.count > 1 ? 1 / Float(fanIn).squareRoot() : 1
    let values = Waves.values(name == "w" ? .parameter : .target, count: shape.count)
    return HostTensor(values.map { $0 * scale }, shape: shape).converted(to: .float16)
  }

  private static func series(_ name: String) -> Waves.Series {
    switch name {
    case "k": .hiddenStates
    case "v": .feature
    default: .sample
    }
  }

  mutating func run(profile: ExecutionProfile?) throws {
    output = try executable.run(inputs, profile: profile)["y"]
  }

  func results() -> [(name: String, tensor: HostTensor)] { output.map { [("y", $0)] } ?? [] }
}
