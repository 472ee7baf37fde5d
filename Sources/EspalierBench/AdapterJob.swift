import EspalierGraph
import EspalierHost
import EspalierModels
import EspalierTensors
import EspalierTraining

/// The adapter alone: its maps, their distance from targets, and the gradients of all its parameters.
struct AdapterJob: Job {
  private let executable: Executable
  private let inputs: [String: HostTensor]
  private let parameters: TrainedParameters

  init(_ place: Workplace) throws {
    let configuration = try place.adapter()
    parameters = try place.adapterParameters(configuration)
    let graph = GraphBuilder { $0.hasPrefix("adapter.") }
    let side = place.resolution
    let control = graph.input("control", [1, side, side, configuration.inChannels])
    let maps = T2IAdapter(graph.scope("adapter"), configuration).features(of: control)
    let weight = graph.input("weight", [1])
    let losses = maps.enumerated().map { k, map in
      map.weightedMSE(target: graph.input("target.\(k)", map.shape), weight: weight).loss
    }
    let loss = losses.dropFirst().reduce(losses[0], +)
    let trained = graph.trainablePaths.map { path in
      (path: path, value: graph.parameter(path, graph.parameterShapes[path] ?? []))
    }
    let gradients = try graph.gradients(of: loss, seed: graph.input("seed", [1]), by: trained)
    for (parameter, gradient) in zip(trained, gradients) {
      graph.output("gradient/\(parameter.path)", gradient)
    }
    graph.output("loss", loss)
    executable = try Executable(
      graph.lowered(), on: place.device, bound: parameters.bindings, name: "the adapter")
    let one = HostTensor([Float(1)], shape: [1])
    var inputs = ["weight": one, "seed": one, "control": place.control(count: 1)]
    for (k, map) in maps.enumerated() {
      let d = map.shape.dims
      inputs["target.\(k)"] = Waves.tensor(.target, [d[0], d[3], d[1], d[2]]).channelsLast()
    }
    self.inputs = inputs
  }

  mutating func run(profile: ExecutionProfile?) throws {
    try executable.run(inputs, profile: profile)
  }

  /// The gradients, by the adapter's checkpoint keys.
  func results() throws -> [(name: String, tensor: HostTensor)] {
    try parameters.read(.gradient).map {
      (String($0.key.dropFirst("adapter.".count)), $0.value)
    }
  }
}
