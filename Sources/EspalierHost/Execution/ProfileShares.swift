import EspalierGraph
import Foundation

/// How the time of a profile splits into matrix products, attention and everything else.
///
/// Matrix products are linear layers and convolutions with their gradients: on a CPU, what GEMM and Winograd's transforms
/// compute. Attention has products too, but tiles and an exponential of its own, so it counts apart.
public struct ProfileShares: Sendable {
  /// Nanoseconds.
  public let products, attention, rest: UInt64

  public init(_ profile: ExecutionProfile) {
    var times: [Kind: UInt64] = [:]
    for (code, nanoseconds, _) in profile.byOperation {
      times[Kind(code), default: 0] += nanoseconds
    }
    products = times[.product] ?? 0
    attention = times[.attention] ?? 0
    rest = times[.rest] ?? 0
  }

  /// Nanoseconds of all operations.
  public var total: UInt64 { products + attention + rest }

  /// The part of the time that is not spent in linear layers and convolutions, 0 to 1.
  public var outsideProducts: Double { share(attention + rest) }

  /// One line for people.
  public var text: String {
    String(
      format:
        "outside linear layers and convolutions: %.1f %% of %.2f s (attention %.1f %%, the rest %.1f %%)",
      100 * outsideProducts, Double(total) / 1e9, 100 * share(attention), 100 * share(rest))
  }

  private func share(_ nanoseconds: UInt64) -> Double {
    total == 0 ? 0 : Double(nanoseconds) / Double(total)
  }

  private enum Kind {
    case product, attention, rest

    init(_ code: OperationCode) {
      switch code {
      case .linear, .linearDX, .linearDW, .conv2d, .conv2dDX, .conv2dDW: self = .product
      case .attention, .attentionBackward: self = .attention
      default: self = .rest
      }
    }
  }
}
