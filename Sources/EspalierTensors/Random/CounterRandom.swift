import Glibc

/// Random numbers of training: a pure function of (seed, purpose, sample, step) and position.
///
/// The same whatever device computes the rest, for any batch size and any number of processes; each key gives an
/// independent stream, and value `i` of a stream never depends on how many values are asked for.
/// Integers and uniforms are exact; normals may differ in the last place between C math libraries.
/// Source: Philox4x32-10, see `Philox`; the key of a stream is the hash of its four parts by Philox itself.
public struct CounterRandom: Sendable {
  /// What the numbers are for; streams of different purposes are independent.
  public enum Purpose: UInt32, Sendable, CaseIterable {
    case shuffle = 1
    case timestep = 2
    case noise = 3
    case latentSample = 4
    case captionDropout = 5
    case noiseOffset = 6
    case crop = 7
    case flip = 8
    case initialization = 9
    case validation = 10
    case timestepJitter = 11
    case conditionDropout = 12
    case demoCircle = 13
  }

  /// The key of the values' blocks and the upper half of their counters.
  private let key: SIMD2<UInt32>
  private let stream: SIMD2<UInt32>

  /// - Parameters:
  ///   - seed: The run's seed.
  ///   - purpose: What the numbers are for.
  ///   - sample: Which sample of the data set, or 0.
  ///   - step: Which epoch or optimizer step, or 0.
  public init(seed: UInt64, purpose: Purpose, sample: UInt64 = 0, step: UInt64 = 0) {
    // Two chained blocks take in all 224 bits: seed as the key, sample and step as the counter, then
    // the purpose.
    let first = Philox.block(
      counter: SIMD4(low(sample), high(sample), low(step), high(step)),
      key: SIMD2(low(seed), high(seed)))
    let second = Philox.block(
      counter: SIMD4(first.z, first.w, purpose.rawValue, 0x4573_7061),
      key: SIMD2(first.x, first.y))
    key = SIMD2(second.x, second.y)
    stream = SIMD2(second.z, second.w)
  }

  /// The four words at a place of the stream.
  func block(_ index: Int) -> SIMD4<UInt32> {
    let index = UInt64(index)
    return Philox.block(counter: SIMD4(low(index), high(index), stream.x, stream.y), key: key)
  }

  /// Values uniform in [0, 1), 24 bits each.
  public func uniforms(_ count: Int) -> [Float] {
    blocks(count) { bits in SIMD4<Float>(bits &>> 8) * 0x1p-24 }
  }

  /// Standard normal values, by Box and Muller's pairs; at most 5.8 in size.
  public func normals(_ count: Int) -> [Float] {
    blocks(count) { bits in
      let units = SIMD4<Float>(bits &>> 8) * 0x1p-24
      let (first, second) = (pair(units.x, units.y), pair(units.z, units.w))
      return SIMD4(first.x, first.y, second.x, second.y)
    }
  }

  /// Standard normal values in a tensor of that shape.
  public func normals(_ shape: Shape) -> HostTensor {
    HostTensor(normals(shape.count), shape: shape)
  }

  /// A whole number in 0..<bound, each as likely as the next to bound · 2⁻⁶⁴.
  public func integer(below bound: Int, at position: Int = 0) -> Int {
    precondition(bound > 0, "a random integer needs a positive bound")
    let bits = block(position)
    return Int((UInt64(bits.x) << 32 | UInt64(bits.y)).multipliedFullWidth(by: UInt64(bound)).high)
  }

  /// A random order of 0..<count (Fisher and Yates).
  public func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(last, integer(below: last + 1, at: last))
    }
    return order
  }

  /// `count` values, four from each block.
  private func blocks(_ count: Int, _ values: (SIMD4<UInt32>) -> SIMD4<Float>) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { out, initialized in
      for index in 0..<count / 4 {
        let four = values(block(index))
        for lane in 0..<4 { out.initializeElement(at: 4 * index + lane, to: four[lane]) }
      }
      if count % 4 != 0 {
        let four = values(block(count / 4))
        for lane in 0..<count % 4 {
          out.initializeElement(at: count / 4 * 4 + lane, to: four[lane])
        }
      }
      initialized = count
    }
  }
}

/// Two uniforms in [0, 1) to two independent normals.
private func pair(_ first: Float, _ second: Float) -> SIMD2<Float> {
  let radius = (-2 * log(1 - first)).squareRoot()
  let angle = Float(2 * Double.pi) * second
  return SIMD2(radius * cos(angle), radius * sin(angle))
}

private func low(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value) }

private func high(_ value: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: value >> 32) }
