/// The operations of the boundary, `ESP_OP_…`.
public enum OperationCode: Int32, CaseIterable, Sendable {
  case linear = 1
  case linearDX, linearDW
  case conv2D, conv2DDX, conv2DDW
  case sumTo
  case groupNorm, groupNormBackward
  case layerNorm, layerNormBackward
  case attention, attentionBackward
  case geglu, gegluBackward
  case unary, unaryBackward
  case add, mul, scale
  case concat, slice
  case upsampleNearest, upsampleNearestBackward
  case avgPool2D, avgPool2DBackward
  case pixelUnshuffle
  case cast
  case embedding, gatherRows
  case weightedMSE, weightedMSEBackward
  case sumSquares
  case adamW

  /// The header's name in lower case: `linear_dx`.
  public var name: String {
    switch self {
    case .linear: "linear"
    case .linearDX: "linear_dx"
    case .linearDW: "linear_dw"
    case .conv2D: "conv2d"
    case .conv2DDX: "conv2d_dx"
    case .conv2DDW: "conv2d_dw"
    case .sumTo: "sum_to"
    case .groupNorm: "group_norm"
    case .groupNormBackward: "group_norm_backward"
    case .layerNorm: "layer_norm"
    case .layerNormBackward: "layer_norm_backward"
    case .attention: "attention"
    case .attentionBackward: "attention_backward"
    case .geglu: "geglu"
    case .gegluBackward: "geglu_backward"
    case .unary: "unary"
    case .unaryBackward: "unary_backward"
    case .add: "add"
    case .mul: "mul"
    case .scale: "scale"
    case .concat: "concat"
    case .slice: "slice"
    case .upsampleNearest: "upsample_nearest"
    case .upsampleNearestBackward: "upsample_nearest_backward"
    case .avgPool2D: "avg_pool2d"
    case .avgPool2DBackward: "avg_pool2d_backward"
    case .pixelUnshuffle: "pixel_unshuffle"
    case .cast: "cast"
    case .embedding: "embedding"
    case .gatherRows: "gather_rows"
    case .weightedMSE: "weighted_mse"
    case .weightedMSEBackward: "weighted_mse_backward"
    case .sumSquares: "sum_squares"
    case .adamW: "adamw"
    }
  }

  /// The operation of this name.
  public init?(name: String) {
    guard let code = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = code
  }
}
