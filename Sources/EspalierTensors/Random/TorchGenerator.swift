import Glibc

/// The stream of `torch.Generator().manual_seed(seed)` on a CPU.
///
/// Integers are exact; normals agree to 1e-6, since PyTorch's own logarithm and cosine differ from
/// machine to machine in the last places. A call continues where the one before stopped, whatever it drew.
/// Source: PyTorch `aten/src/ATen/core/DistributionsHelper.h`, `CPUGeneratorImpl.cpp` and
/// `native/cpu/DistributionTemplates.h`.
public struct TorchGenerator: Sendable {
  private var engine: MersenneTwister
  /// The second value of the last pair that the path for few values made.
  private var nextNormal: Double?

  /// - Parameter seed: As for `torch.manual_seed`; negative seeds wrap. The engine uses the low 32 bits.
  public init(seed: Int) {
    engine = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
  }

  /// `torch.randn(count)` in float32.
  public mutating func randn(_ count: Int) -> [Float] {
    normals(count, uniforms: count)
  }

  /// `torch.randn(shape)` in float32.
  public mutating func randn(_ shape: Shape) -> HostTensor {
    HostTensor(randn(shape.count), shape: shape)
  }

  /// `torch.randn(count, dtype=torch.float16)`: as float32, rounded to the nearest.
  ///
  /// From 16 values on PyTorch leaves out the draws that its float32 path makes and then replaces, so
  /// the last 16 values differ from `randn` unless `count` is a multiple of 16.
  public mutating func randnHalf(_ count: Int) -> [Float16] {
    normals(count, uniforms: count - count % 16).map { Float16($0) }
  }

  /// `torch.rand(count)` in float32: uniform in [0, 1), 24 bits.
  public mutating func rand(_ count: Int) -> [Float] { (0..<count).map { _ in uniform() } }

  /// `torch.randint(0, high, (count,))`.
  ///
  /// - Parameter high: Above every value, in 1...2⁶².
  public mutating func randint(_ high: Int, _ count: Int) -> [Int] {
    precondition(high > 0, "randint needs a positive bound")
    let range = UInt64(high)
    return (0..<count).map { _ in Int(random(below: range)) }
  }

  /// `torch.randperm(count)`.
  public mutating func randperm(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for index in 0..<max(count - 1, 0) {
      order.swapAt(index, index + Int(UInt64(engine.next()) % UInt64(count - index)))
    }
    return order
  }

  /// From 16 values on, blocks of 16 are made of `uniforms` draws, and an incomplete last block is
  /// replaced by one of its own over the last 16 values.
  private mutating func normals(_ count: Int, uniforms: Int) -> [Float] {
    guard count >= 16 else { return (0..<count).map { _ in Float(normal()) } }
    return [Float](unsafeUninitializedCapacity: count) { values, initialized in
      values.initialize(repeating: 0)
      initialized = count
      for index in 0..<uniforms { values[index] = uniform() }
      for start in stride(from: 0, through: count - 16, by: 16) {
        Self.transform(UnsafeMutableBufferPointer(rebasing: values[start..<start + 16]))
      }
      if count % 16 != 0 {
        let tail = UnsafeMutableBufferPointer(rebasing: values[(count - 16)...])
        for index in tail.indices { tail[index] = uniform() }
        Self.transform(tail)
      }
    }
  }

  private mutating func random64() -> UInt64 {
    let high = UInt64(engine.next())
    return high << 32 | UInt64(engine.next())
  }

  private mutating func random(below range: UInt64) -> UInt64 {
    range >= 1 << 28 ? random64() % range : UInt64(engine.next()) % range
  }

  private mutating func uniform() -> Float { Float(engine.next() & 0xFF_FFFF) * 0x1p-24 }

  private mutating func uniformDouble() -> Double {
    Double(random64() & 0x1F_FFFF_FFFF_FFFF) * 0x1p-53
  }

  /// Fewer than 16 values: Box and Muller's pairs in double, the second value kept for later.
  private mutating func normal() -> Double {
    if let value = nextNormal {
      nextNormal = nil
      return value
    }
    let u1 = uniformDouble()
    let u2 = uniformDouble()
    let radius = (-2 * log1p(-u2)).squareRoot()
    let theta = 2 * Double.pi * u1
    nextNormal = radius * sin(theta)
    return radius * cos(theta)
  }

  /// 16 uniforms to 16 normals: the first eight give radii, the last eight angles.
  private static func transform(_ block: UnsafeMutableBufferPointer<Float>) {
    for index in 0..<8 {
      let radius = (-2 * log(1 - block[index])).squareRoot()
      // `Float.pi` is rounded down; PyTorch rounds 2π to the nearest.
      let theta = Float(2 * Double.pi) * block[index + 8]
      block[index] = radius * cos(theta)
      block[index + 8] = radius * sin(theta)
    }
  }
}
