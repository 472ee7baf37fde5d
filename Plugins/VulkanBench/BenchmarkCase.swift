import EspalierBenchKit
import EspalierConformance
import Foundation

/// One operation with its shapes.
struct BenchmarkCase {
  /// An operand or a result of the operation.
  struct Tensor {
    enum Kind: Equatable {
      /// Stored as activations are.
      case activation
      /// Frozen, stored as weights are.
      case weight
      /// f32: a gradient of parameters.
      case gradient
      /// f32, all elements this value: the logarithm of a sum of exponentials.
      case statistic(Double)
    }

    let shape: [Int]
    let kind: Kind

    init(_ shape: [Int], _ kind: Kind = .activation) {
      self.shape = shape
      self.kind = kind
    }
  }

  let code: OperationCode
  /// What a row of the table is called.
  let title: String
  /// nil: an optional operand that is absent.
  let inputs: [Tensor?]
  let outputs: [Tensor?]
  var integers: [Int64] = []
  var floats: [Double] = []
  /// Floating-point operations, a multiply-add counted as two.
  let operations: Double
  /// Operations of the forward case: what decides whether a CPU driver is asked to do it.
  let weight: Double
  /// What ggml's tests have to compare with; nil for a derivative that they lack.
  let reference: GGMLSizes?
}

extension BenchmarkCase {
  /// `x[rows, depth] · w[columns, depth]ᵀ` and its two gradients.
  static func products(rows: Int, columns: Int, depth: Int) -> [BenchmarkCase] {
    let (x, y) = (Tensor([rows, depth]), Tensor([rows, columns]))
    let weight = Tensor([columns, depth], .weight)
    let work = 2 * Double(rows) * Double(columns) * Double(depth)
    func make(
      _ code: OperationCode, _ inputs: [Tensor?], _ output: Tensor, _ reference: GGMLSizes
    ) -> BenchmarkCase {
      BenchmarkCase(
        code: code, title: "\(code.name) \(rows)×\(columns)×\(depth)", inputs: inputs,
        outputs: [output], integers: code == .linear ? [0] : [], operations: work, weight: work,
        reference: reference)
    }
    return [
      make(
        .linear, [x, weight, nil, nil], y, .product(rows: rows, columns: columns, depth: depth)),
      make(
        .linearDX, [y, weight, nil], x, .product(rows: rows, columns: depth, depth: columns)),
      make(
        .linearDW, [y, x], Tensor([columns, depth], .gradient),
        .product(rows: columns, columns: depth, depth: rows)),
    ]
  }

  /// A convolution of a square map that keeps its size, with `kernel` × `kernel` filters, and its
  /// gradients.
  static func convolutions(
    side: Int, channels: Int, filters: Int, kernel: Int
  ) -> [BenchmarkCase] {
    let x = Tensor([1, side, side, channels])
    let y = Tensor([1, side, side, filters])
    let weight = Tensor([filters, channels, kernel, kernel], .weight)
    let depth = Double(channels * kernel * kernel)
    let work = 2 * Double(side * side) * Double(filters) * depth
    let padding = Int64(kernel / 2)
    func make(_ code: OperationCode, _ inputs: [Tensor?], _ output: Tensor) -> BenchmarkCase {
      BenchmarkCase(
        code: code,
        title: "\(code.name) \(side)²×\(channels)→\(filters), \(kernel)×\(kernel)", inputs: inputs,
        outputs: [output], integers: [0, 1, padding, padding, padding, padding], operations: work,
        weight: work,
        reference: code == .conv2D
          ? .convolution(
            pixels: side * side, filters: filters, channels: channels, kernel: kernel) : nil)
    }
    return [
      make(.conv2D, [x, weight, nil, nil, nil], y), make(.conv2DDX, [y, weight, nil], x),
      make(.conv2DDW, [y, x], Tensor([filters, channels, kernel, kernel], .gradient)),
    ]
  }

  /// Attention forward, without the statistics that only training needs, and backward with all gradients.
  static func attentions(queries: Int, keys: Int, heads: Int, width: Int) -> [BenchmarkCase] {
    let q = Tensor([1, queries, heads * width])
    let k = Tensor([1, keys, heads * width])
    let statistics = Tensor([1, heads, queries], .statistic(log(Double(keys))))
    let work = 4 * Double(queries) * Double(keys) * Double(heads * width)
    func make(
      _ code: OperationCode, _ inputs: [Tensor?], _ outputs: [Tensor?], _ products: Double
    ) -> BenchmarkCase {
      BenchmarkCase(
        code: code, title: "\(code.name) \(queries)×\(keys), \(heads)×\(width)", inputs: inputs,
        outputs: outputs, integers: [Int64(heads), 0], floats: [1 / Double(width).squareRoot()],
        operations: work * products / 2, weight: work,
        reference: code == .attention
          ? .attention(queries: queries, keys: keys, heads: heads, width: width) : nil)
    }
    return [
      make(.attention, [q, k, k], [q, nil], 2),
      make(.attentionBackward, [q, q, k, k, q, statistics], [q, k, k], 5),
    ]
  }
}
