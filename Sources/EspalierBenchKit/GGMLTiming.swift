import Foundation

/// One line of what ggml's `test-backend-ops perf` prints.
///
/// `  MUL_MAT(type_a=f32,type_b=f32,m=4096,n=512,k=14336,…):  123 runs -  456.78 us/run -  60.13 GFLOP/run -   5.36 TFLOPS`;
/// the speed is in colour. Lines of operations that a device does not support, or that are given in GB/s,
/// are no timings.
public struct GGMLTiming: Sendable, Equatable {
  /// As ggml names it: `MUL_MAT`, `CONV_2D`, `FLASH_ATTN_EXT`.
  public let operation: String
  /// `m` → `4096`, `bs` → `[1,1]`.
  public let parameters: [String: String]
  /// Speed in GFLOP/s, by ggml's own count of operations.
  public let gigaflops: Double

  /// nil if the line is no timing.
  public init?(line: String) {
    let plain = line.replacing(/\u{1B}\[[0-9;]*m/, with: "")
    let pattern =
      /^\s*([A-Z0-9_]+)\((.*)\):.*\bus\/run\s*-.*FLOP\/run\s*-\s*([0-9.]+)\s*([kKMGTP]?)FLOPS\s*$/
    guard let match = plain.firstMatch(of: pattern), let value = Double(match.3),
      let scale = Self.scales[match.4.lowercased()]
    else { return nil }
    operation = String(match.1)
    parameters = Self.parameters(match.2)
    gigaflops = value * scale / 1e9
  }

  /// All timings of an output, for the backends whose name starts with `backend` in any case.
  ///
  /// A heading `Backend 1/2: Vulkan0` tells whose lines follow; lines before any heading count too.
  public static func all(in output: String, backend: String) -> [GGMLTiming] {
    var isWanted = true
    return output.split(whereSeparator: \.isNewline).compactMap { line in
      if let heading = line.firstMatch(of: /^\s*Backend \d+\/\d+: (.*)$/) {
        isWanted = heading.1.lowercased().hasPrefix(backend.lowercased())
      }
      return isWanted ? GGMLTiming(line: String(line)) : nil
    }
  }

  private static let scales = ["": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15]

  /// Splits at the commas outside brackets.
  private static func parameters(_ text: Substring) -> [String: String] {
    var parameters: [String: String] = [:]
    for pair in text.matches(of: /([^=,]+)=(\[[^\]]*\]|[^,]*)/) {
      parameters[String(pair.1)] = String(pair.2)
    }
    return parameters
  }
}

extension GGMLTiming {
  /// How the operands that differ between cases are stored (`f32`, `q4_0`, …).
  var storage: String? {
    ["type_a", "type_kernel", "type_KV", "type_K"].lazy.compactMap { parameters[$0] }.first
  }

  /// The numbers of a parameter, of a list or alone.
  func numbers(_ name: String) -> [Int]? {
    let found = parameters[name]?.matches(of: /\d+/).compactMap { Int($0.output) }
    return found.flatMap { $0.isEmpty ? nil : $0 }
  }

  func number(_ name: String) -> Int? { numbers(name)?.first }
}
