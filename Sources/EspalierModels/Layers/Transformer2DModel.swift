public import EspalierGraph

/// Transformer over the pixels of a feature map, conditioned on text, with a residual connection.
///
/// Checkpoint keys: `norm`, `proj_in`, `transformer_blocks.N`, `proj_out`. The projections are
/// linear or 1×1 convolutions, which differ in the shape of their weights only.
/// Source: Diffusers `models/transformers/transformer_2d.py`, `Transformer2DModel` with continuous
/// input.
public struct Transformer2DModel {
  /// A projection of channels in either of the two layouts.
  private enum Projection {
    case linear(Linear)
    case conv(Conv2d)

    init(_ scope: Scope, channels: Int, isLinear: Bool) {
      self =
        isLinear
        ? .linear(Linear(scope, inFeatures: channels, outFeatures: channels))
        : .conv(Conv2d(scope, inChannels: channels, outChannels: channels, kernel: 1))
    }

    func callAsFunction(_ x: Value) -> Value {
      switch self {
      case .linear(let layer): layer(x)
      case .conv(let layer): layer(x)
      }
    }
  }

  private let norm: GroupNorm
  private let projIn, projOut: Projection
  private let transformerBlocks: [BasicTransformerBlock]

  /// Declares the parameters under `scope`; nothing is allocated.
  public init(
    _ scope: Scope, channels: Int, depth: Int, heads: Int, crossAttentionDim: Int, groups: Int,
    useLinearProjection: Bool
  ) {
    norm = GroupNorm(scope["norm"], groups: groups, channels: channels, epsilon: 1e-6)
    projIn = Projection(scope["proj_in"], channels: channels, isLinear: useLinearProjection)
    transformerBlocks = (0..<depth).map {
      BasicTransformerBlock(
        scope["transformer_blocks"][$0], features: channels, heads: heads,
        crossAttentionDim: crossAttentionDim)
    }
    projOut = Projection(scope["proj_out"], channels: channels, isLinear: useLinearProjection)
  }

  /// - Parameters:
  ///   - x: Feature map `[B, H, W, channels]`.
  ///   - encoderHiddenStates: Text `[B, L, crossAttentionDim]`.
  /// - Returns: The shape of `x`.
  public func callAsFunction(
    _ x: Value, encoderHiddenStates: Value, recorder: ActivationRecorder = .none
  ) -> Value {
    var h = projIn(norm(x))
    for (k, block) in transformerBlocks.enumerated() {
      h = x.graph.region {
        block(h, encoderHiddenStates: encoderHiddenStates, recorder: recorder["block", k])
      }
    }
    return recorder(projOut(h) + x)
  }
}
