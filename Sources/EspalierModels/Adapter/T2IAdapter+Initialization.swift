public import EspalierTensors

extension T2IAdapter {
  /// Weights of a fresh adapter as PyTorch makes them: uniform within ±1/√(inputs of one output),
  /// weights and biases alike.
  ///
  /// Source: PyTorch `nn/modules/conv.py`, `reset_parameters`: `kaiming_uniform_(a=√5)` for the
  /// weight.
  ///
  /// - Parameters:
  ///   - configuration: The adapter.
  ///   - uniform: Gives the next `count` numbers of a uniform stream in 0..<1. It is asked for each
  ///     parameter in order, so that PyTorch's stream gives PyTorch's weights.
  /// - Returns: Checkpoint keys and f32 tensors, in order.
  public static func initialParameters(
    _ configuration: T2IAdapterConfiguration, uniform: (_ count: Int) -> [Float]
  ) -> [(key: String, tensor: HostTensor)] {
    var bound = 1.0
    return parameters(configuration).map { key, shape in
      // A bias follows its weight and shares its bound.
      if shape.rank == 4 { bound = 1 / Double(shape[1] * shape[2] * shape[3]).squareRoot() }
      let (low, range) = (Float(-bound), Float(bound) - Float(-bound))
      let values = uniform(shape.count).map { $0 * range + low }
      return (key, HostTensor(values, shape: shape))
    }
  }
}
