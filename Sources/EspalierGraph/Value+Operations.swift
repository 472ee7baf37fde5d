public import EspalierTensors

/// The operations in formula style; `path` names the layer for errors and profiles.
extension Value {
  /// `x·wᵀ + bias` on the last axis; weight `[N, K]`.
  public func linear(weight: Value, bias: Value? = nil, path: String? = nil) -> Value {
    graph.apply(Linear(), [self, weight, bias, nil], path: path)
  }

  /// Convolution of a map `[B, H, W, C]` with a weight `[O, C, kh, kw]`.
  public func conv2d(
    weight: Value, bias: Value? = nil, stride: Int = 1, padding: Padding2D = Padding2D(0),
    path: String? = nil
  ) -> Value {
    let geometry = Conv2dGeometry(stride: stride, padding: padding)
    return graph.apply(Conv2d(geometry: geometry), [self, weight, bias, nil, nil], path: path)
  }

  /// Group normalisation of `[B, …, C]`.
  public func groupNorm(
    groups: Int, gamma: Value, beta: Value, epsilon: Double, path: String? = nil
  ) -> Value {
    graph.apply(GroupNorm(groups: groups, epsilon: epsilon), [self, gamma, beta], path: path)
  }

  /// The mean and the reciprocal standard deviation `[B, groups]` that group normalisation would use.
  public func groupNormStatistics(
    groups: Int, gamma: Value, beta: Value, epsilon: Double, path: String? = nil
  ) -> (mean: Value, reciprocalDeviation: Value) {
    let outputs = graph.apply(
      outputs: GroupNorm(groups: groups, epsilon: epsilon), [self, gamma, beta], path: path)
    return (outputs[1], outputs[2])
  }

  /// Layer normalisation over the last axis.
  public func layerNorm(gamma: Value, beta: Value, epsilon: Double, path: String? = nil) -> Value {
    graph.apply(LayerNorm(epsilon: epsilon), [self, gamma, beta], path: path)
  }

  /// Attention with this value as queries; the scale is 1/√d.
  public func attention(
    keys: Value, values: Value, heads: Int, isCausal: Bool = false, path: String? = nil
  ) -> Value {
    let scale = 1 / Double(max(shape.last / max(heads, 1), 1)).squareRoot()
    return graph.apply(
      Attention(heads: max(heads, 1), scale: scale, isCausal: isCausal), [self, keys, values],
      path: path)
  }

  /// `x[…, :F] · gelu(x[…, F:])`.
  public func geglu() -> Value { graph.apply(GEGLU(), [self]) }

  /// The elementwise function.
  public func activated(_ function: Activation) -> Value {
    function == .none ? self : graph.apply(Unary(function: function), [self])
  }
  public func silu() -> Value { activated(.silu) }
  public func relu() -> Value { activated(.relu) }

  /// `[B, …, C]` plus `[B, C]`, the same for every pixel or token of a sample.
  public func adding(perSample term: Value, path: String? = nil) -> Value {
    graph.apply(Add(broadcast: .perSample), [self, term], path: path)
  }

  /// `[B, …, C]` times `[B, C]`, the same for every pixel or token of a sample.
  public func multiplied(perSample factor: Value, path: String? = nil) -> Value {
    graph.apply(Mul(broadcast: .perSample), [self, factor], path: path)
  }

  /// Nearest-neighbour resizing of a map.
  public func upsampledNearest(height: Int, width: Int) -> Value {
    graph.apply(UpsampleNearest(height: height, width: width), [self])
  }

  /// 2×2 mean with stride 2, sides rounded up.
  public func avgPool2d() -> Value { graph.apply(AvgPool2d(), [self]) }

  /// Blocks of pixels to channels.
  public func pixelUnshuffled(factor: Int, path: String? = nil) -> Value {
    graph.apply(PixelUnshuffle(factor: factor), [self], path: path)
  }

  /// A range of the last axis.
  public func slice(from start: Int, count: Int) -> Value {
    graph.apply(Slice(start: start, size: count), [self])
  }

  /// The value in another storage type.
  public func cast(to dtype: DType) -> Value {
    dtype == self.dtype ? self : graph.apply(Cast(target: dtype), [self])
  }

  /// With this value as ids i32 `[B, L]`: the rows of a table `[V, D]`.
  public func embedded(in table: Value, path: String? = nil) -> Value {
    graph.apply(Embedding(), [self, table], path: path)
  }

  /// One token of each sample, index i32 `[B]`.
  public func gatheredRows(_ index: Value) -> Value { graph.apply(GatherRows(), [self, index]) }

  /// The weighted mean squared error `[1]` and the mean of each sample `[B]`.
  public func weightedMSE(target: Value, weight: Value) -> (loss: Value, perSample: Value) {
    let outputs = graph.apply(outputs: WeightedMSE(), [self, target, weight], path: "loss")
    return (outputs[0], outputs[1])
  }

  /// Joins tensors along the last axis.
  public static func concatenated(_ parts: [Value]) -> Value {
    precondition(!parts.isEmpty)
    return parts[0].graph.apply(Concat(), parts)
  }

  func summed(to shape: Shape) -> Value {
    graph.apply(SumTo(target: shape, keepsFirstAxis: false), [self])
  }

  func summedOverMiddleAxes() -> Value {
    let target = Shape([shape[0], shape.last])
    return graph.apply(SumTo(target: target, keepsFirstAxis: true), [self])
  }

  public static func + (a: Value, b: Value) -> Value {
    a.graph.apply(Add(broadcast: .rightAligned), [a, b])
  }
  public static func * (a: Value, b: Value) -> Value {
    a.graph.apply(Mul(broadcast: .rightAligned), [a, b])
  }
  public static func * (a: Value, factor: Double) -> Value {
    factor == 1 ? a : a.graph.apply(Scale(factor: factor), [a])
  }
}
