import Foundation

/// What decides how fast a product, a convolution or an attention runs, in terms that fit ggml's test cases too.
public struct GGMLSizes: Sendable, Equatable {
  /// ggml's names of the operations.
  public enum Operation: String, Sendable, CaseIterable {
    case product = "MUL_MAT"
    case convolution = "CONV_2D"
    case attention = "FLASH_ATTN_EXT"

    /// Regular expressions for the option `-p`, the one to be tried first before the others: cases whose operands
    /// are `storage` (`f32`, `f16`), if ggml has them in several types.
    ///
    /// - Parameter isSlow: One case of each operation, since ggml computes 100 GFLOP for each: the nearest to SDXL's
    ///   shapes among those of less work than that. Products of f32 are missing on devices whose buffers are bound
    ///   by 128 MiB at a time, so those of f16 come next.
    public func filters(storage: String, isSlow: Bool) -> [String] {
      switch (self, isSlow) {
      case (.product, false): ["type_a=\(storage),type_b=f32"]
      case (.product, true): [storage, "f16"].map { "type_a=\($0),type_b=f32,.*n=512," }
      case (.convolution, false): ["type_kernel=\(storage)"]
      case (.convolution, true): ["ne_kernel=.3,3,128,512.,type_kernel=\(storage),.*cwhn=0"]
      case (.attention, false): []
      case (.attention, true): ["hsk=64,.*nr23=.1,1.,kv=4096,nb=4096,"]
      }
    }
  }

  public let operation: Operation
  /// Sizes with a name each, none of them zero.
  private let sizes: KeyValuePairs<String, Int>

  public static func == (a: GGMLSizes, b: GGMLSizes) -> Bool { a.distance(to: b) == 0 }

  /// `[rows, depth] · [depth, columns]`.
  public static func product(rows: Int, columns: Int, depth: Int) -> GGMLSizes {
    GGMLSizes(operation: .product, sizes: ["m": columns, "n": rows, "k": depth])
  }

  /// A convolution to `pixels` of all pictures together, with filters of `kernel` × `kernel`.
  public static func convolution(
    pixels: Int, filters: Int, channels: Int, kernel: Int
  ) -> GGMLSizes {
    GGMLSizes(
      operation: .convolution,
      sizes: ["pixels": pixels, "filters": filters, "channels": channels, "kernel": kernel])
  }

  /// Attention of `queries` to `keys` in `heads`, those of all samples together, of `width`.
  public static func attention(queries: Int, keys: Int, heads: Int, width: Int) -> GGMLSizes {
    GGMLSizes(
      operation: .attention,
      sizes: ["queries": queries, "keys": keys, "heads": heads, "width": width])
  }

  private init(operation: Operation, sizes: KeyValuePairs<String, Int>) {
    self.operation = operation
    self.sizes = sizes
  }

  /// The sizes of a test case of ggml; nil if it is of another operation or does not tell them.
  public init?(_ timing: GGMLTiming) {
    guard let operation = Operation(rawValue: timing.operation) else { return nil }
    let sizes: GGMLSizes? =
      switch operation {
      case .product: Self.product(timing)
      case .convolution: Self.convolution(timing)
      case .attention: Self.attention(timing)
      }
    guard let sizes, sizes.sizes.allSatisfy({ $0.value > 0 }) else { return nil }
    self = sizes
  }

  /// How far two shapes are from each other: the sum of the logarithms of their sizes' ratios; 0 if they are
  /// the same, infinite between operations.
  public func distance(to other: GGMLSizes) -> Double {
    guard operation == other.operation else { return .infinity }
    return zip(sizes, other.sizes).reduce(0) {
      $0 + abs(log(Double($1.0.value) / Double($1.1.value)))
    }
  }

  /// The timing of the nearest shape, one with operands stored as `storage` (`f32`, `f16`) if there is any;
  /// never one of quantised operands.
  public func nearest(in timings: [GGMLTiming], storage: String) -> (GGMLTiming, GGMLSizes)? {
    let candidates = timings.compactMap { timing in
      GGMLSizes(timing).map { (timing: timing, sizes: $0) }
    }.filter { $0.sizes.operation == operation }
    for storages in [[storage], ["f32", "f16", "bf16"]] {
      let matching = candidates.filter { storages.contains($0.timing.storage ?? "f32") }
      if let found = matching.min(by: { distance(to: $0.sizes) < distance(to: $1.sizes) }) {
        return found
      }
    }
    return nil
  }
}

extension GGMLSizes: CustomStringConvertible {
  public var description: String {
    sizes.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
  }
}

extension GGMLSizes {
  private static func product(_ timing: GGMLTiming) -> GGMLSizes? {
    guard let m = timing.number("m"), let n = timing.number("n"), let k = timing.number("k")
    else { return nil }
    let products = ((timing.numbers("bs") ?? []) + (timing.numbers("nr") ?? [])).reduce(1, *)
    return .product(rows: n * products, columns: m, depth: k)
  }

  /// `ne_input=[W,H,C,N]`, `ne_kernel=[kw,kh,C,O]`.
  private static func convolution(_ timing: GGMLTiming) -> GGMLSizes? {
    guard let input = timing.numbers("ne_input"), let kernel = timing.numbers("ne_kernel"),
      input.count == 4, kernel.count == 4
    else { return nil }
    func outputs(_ axis: Int) -> Int {
      let stride = timing.number("stride\(axis)") ?? 1
      let padding = timing.number("padding\(axis)") ?? 0
      let dilation = timing.number("dilation\(axis)") ?? 1
      return (input[axis] + 2 * padding - dilation * (kernel[axis] - 1) - 1) / max(stride, 1) + 1
    }
    return .convolution(
      pixels: outputs(0) * outputs(1) * input[3], filters: kernel[3], channels: kernel[2],
      kernel: max(kernel[0], kernel[1]))
  }

  /// `hsk` or `hs`: a head's width; `nh`: heads of the keys; `nr23` or `nr`: heads of the queries to each, and
  /// samples; `kv`: keys; `nb`: queries.
  private static func attention(_ timing: GGMLTiming) -> GGMLSizes? {
    guard let width = timing.number("hsk") ?? timing.number("hs"), let keys = timing.number("kv"),
      let queries = timing.number("nb"), let heads = timing.number("nh")
    else { return nil }
    let repeats = (timing.numbers("nr23") ?? timing.numbers("nr") ?? []).reduce(1, *)
    return .attention(queries: queries, keys: keys, heads: heads * repeats, width: width)
  }
}
