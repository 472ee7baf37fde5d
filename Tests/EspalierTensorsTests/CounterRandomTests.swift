import EspalierTensors
import Testing

@Suite struct CounterRandomTests {
  /// Known answers of Random123's `kat_vectors`, philox4x32 with 10 rounds.
  @Test(arguments: [
    (
      SIMD4<UInt32>(repeating: 0), SIMD2<UInt32>(repeating: 0),
      SIMD4<UInt32>(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)
    ),
    (
      SIMD4<UInt32>(repeating: .max), SIMD2<UInt32>(repeating: .max),
      SIMD4<UInt32>(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)
    ),
    (
      SIMD4<UInt32>(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344),
      SIMD2<UInt32>(0xA409_3822, 0x299F_31D0),
      SIMD4<UInt32>(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)
    ),
  ])
  func `Philox gives Random123's known answers`(
    _ counter: SIMD4<UInt32>, _ key: SIMD2<UInt32>, _ answer: SIMD4<UInt32>
  ) {
    #expect(Philox.block(counter: counter, key: key) == answer)
  }

  @Test func `normals have the moments of a standard normal`() {
    let values = CounterRandom(seed: 7, purpose: .noise).normals(200_001).map { Double($0) }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + $1 * $1 } / count
    let fourth = values.reduce(0) { $0 + $1 * $1 * $1 * $1 } / count
    #expect(values.count == 200_001)
    // Four standard errors: 1/√n, √(2/n), √(96/n).
    #expect(abs(mean) < 4 / count.squareRoot())
    #expect(abs(variance - 1) < 4 * (2 / count).squareRoot())
    #expect(abs(fourth - 3) < 4 * (96 / count).squareRoot())
  }

  @Test func `uniforms fill the unit interval`() {
    let values = CounterRandom(seed: 7, purpose: .timestep).uniforms(100_000)
    #expect(values.allSatisfy { $0 >= 0 && $0 < 1 })
    var bins = [Int](repeating: 0, count: 10)
    for value in values { bins[Int(value * 10)] += 1 }
    // Five standard errors of a bin: √(n·0.1·0.9) = 95.
    #expect(bins.allSatisfy { abs($0 - 10_000) < 475 }, "\(bins)")
  }

  @Test func `a value does not depend on how many are asked for`() {
    let stream = CounterRandom(seed: 1, purpose: .noise, sample: 5, step: 9)
    let long = stream.normals(1001)
    for count in [1, 2, 3, 4, 7, 1000] { #expect(stream.normals(count) == Array(long[..<count])) }
    #expect(stream.normals(0).isEmpty)
    #expect(stream.normals(Shape([7, 11, 13])).floats() == long)
  }

  @Test func `each part of the key makes another stream`() {
    var streams: [CounterRandom] = []
    for seed in [0, 1, UInt64.max] {
      for purpose in [CounterRandom.Purpose.noise, .timestep] {
        for sample in [0, 1, UInt64(1) << 40] {
          for step in [0, 1, UInt64(1) << 40] {
            streams.append(
              CounterRandom(seed: seed, purpose: purpose, sample: sample, step: step))
          }
        }
      }
    }
    let beginnings = Set(streams.map { $0.normals(4) })
    #expect(beginnings.count == streams.count)
    // Neighbouring streams are uncorrelated: five standard errors, 1/√n.
    let values = streams.map { $0.normals(4000) }
    for (a, b) in zip(values, values.dropFirst()) {
      let correlation = zip(a, b).reduce(0) { $0 + Double($1.0 * $1.1) } / 4000
      #expect(abs(correlation) < 5 / 4000.squareRoot())
    }
  }

  @Test func `a permutation holds every number once and orders are equally likely`() {
    let order = CounterRandom(seed: 3, purpose: .shuffle, step: 1).permutation(1000)
    #expect(order.sorted() == Array(0..<1000))
    #expect(order != Array(0..<1000))
    #expect(CounterRandom(seed: 3, purpose: .shuffle).permutation(0).isEmpty)
    var counts: [[Int]: Int] = [:]
    for step in 0..<6000 {
      let random = CounterRandom(seed: 3, purpose: .shuffle, step: UInt64(step))
      counts[random.permutation(3), default: 0] += 1
    }
    // Five standard errors: √(6000·5/36) = 29.
    #expect(counts.count == 6 && counts.values.allSatisfy { abs($0 - 1000) < 145 }, "\(counts)")
  }
}
