import EspalierGraph
import EspalierTensors

/// One operation at one size.
package struct OperationShape: Hashable, CustomStringConvertible {
  /// What it is and what its sizes are.
  package enum Kind: String, CaseIterable {
    /// rows, outputs, inputs
    case linear
    /// batch, side, inputs, outputs; 3×3
    case conv2d
    /// batch, queries, keys, heads, width of a head
    case attention
    /// batch, pixels, channels; 32 groups, then SiLU
    case groupNorm = "group-norm"
    /// rows, features
    case layerNorm = "layer-norm"
    /// rows, features of the result
    case geglu

    fileprivate var sizeCount: Int {
      switch self {
      case .linear, .groupNorm: 3
      case .conv2d: 4
      case .attention: 5
      case .layerNorm, .geglu: 2
      }
    }
  }

  package let kind: Kind
  package let sizes: [Int]

  private init(_ kind: Kind, _ sizes: Int...) {
    self.kind = kind
    self.sizes = sizes
  }

  /// Reads `linear:4096x640x640`.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let kind = Kind(rawValue: String(parts[0])) else { return nil }
    let sizes = parts[1].split(separator: "x").map { Int($0) ?? 0 }
    guard sizes.count == kind.sizeCount, sizes.allSatisfy({ $0 > 0 }) else { return nil }
    self.kind = kind
    self.sizes = sizes
  }

  package var description: String {
    "\(kind.rawValue):\(sizes.map(String.init).joined(separator: "x"))"
  }

  package var title: String {
    "\(kind.rawValue) \(sizes.map(String.init).joined(separator: "×"))"
  }

  /// SDXL's at a picture of so many pixels along a side, with guidance, and its VAE's.
  package static func sdxl(resolution: Int) -> [OperationShape] {
    let side = resolution / 8
    let (middle, inner) = (side * side / 4, side * side / 16)
    return [
      OperationShape(.linear, 2 * middle, 640, 640),
      OperationShape(.linear, 2 * middle, 5120, 640),
      OperationShape(.linear, 2 * inner, 1280, 1280),
      OperationShape(.linear, 2 * inner, 10240, 1280),
      OperationShape(.linear, 2 * inner, 1280, 5120),
      OperationShape(.linear, 154, 1280, 2048),
      OperationShape(.conv2d, 2, side, 320, 320),
      OperationShape(.conv2d, 2, side / 2, 640, 640),
      OperationShape(.conv2d, 2, side / 4, 1280, 1280),
      OperationShape(.conv2d, 1, 2 * side, 512, 512),
      OperationShape(.conv2d, 1, 4 * side, 256, 256),
      OperationShape(.conv2d, 1, 8 * side, 128, 128),
      OperationShape(.attention, 2, middle, middle, 10, 64),
      OperationShape(.attention, 2, inner, inner, 20, 64),
      OperationShape(.attention, 2, inner, 77, 20, 64),
      OperationShape(.attention, 1, side * side, side * side, 1, 512),
      OperationShape(.groupNorm, 2, side * side, 320),
      OperationShape(.layerNorm, 2 * middle, 640),
      OperationShape(.geglu, 2 * inner, 5120),
    ]
  }

  /// A graph of this operation alone, with the output `y`; its weights are parameters, frozen.
  func program() throws(GraphError) -> GraphProgram {
    let graph = GraphBuilder()
    graph.output("y", value(graph))
    return try graph.lowered()
  }

  private func value(_ graph: GraphBuilder) -> Value {
    let s = sizes
    switch kind {
    case .linear:
      return graph.input("x", [s[0], s[2]]).linear(
        weight: graph.parameter("w", [s[1], s[2]]), bias: graph.parameter("b", [s[1]]))
    case .conv2d:
      return graph.input("x", [s[0], s[1], s[1], s[2]]).conv2d(
        weight: graph.parameter("w", [s[3], s[2], 3, 3]), bias: graph.parameter("b", [s[3]]),
        padding: Padding2D(1))
    case .attention:
      let (q, k) = ([s[0], s[1], s[3] * s[4]] as Shape, [s[0], s[2], s[3] * s[4]] as Shape)
      return graph.input("q", q).attention(
        keys: graph.input("k", k), values: graph.input("v", k), heads: s[3])
    case .groupNorm:
      return graph.input("x", [s[0], s[1], s[2]]).groupNorm(
        groups: 32, gamma: graph.parameter("w", [s[2]]), beta: graph.parameter("b", [s[2]]),
        epsilon: 1e-5
      ).silu()
    case .layerNorm:
      return graph.input("x", [s[0], s[1]]).layerNorm(
        gamma: graph.parameter("w", [s[1]]), beta: graph.parameter("b", [s[1]]), epsilon: 1e-5)
    case .geglu:
      return graph.input("x", [s[0], 2 * s[1]]).geglu()
    }
  }
}
