/// The 32-bit Mersenne Twister, MT19937.
///
/// Source: Matsumoto and Nishimura 1998, with the 2002 initialisation that PyTorch uses.
struct MersenneTwister: Sendable {
  private static let size = 624
  private static let middle = 397

  private var state: [UInt32]
  private var index = MersenneTwister.size

  init(seed: UInt32) {
    state = [UInt32](repeating: seed, count: Self.size)
    for i in 1..<Self.size {
      state[i] = 1_812_433_253 &* (state[i - 1] ^ (state[i - 1] >> 30)) &+ UInt32(i)
    }
  }

  mutating func next() -> UInt32 {
    if index == Self.size { refill() }
    var y = state[index]
    index += 1
    y ^= y >> 11
    y ^= (y << 7) & 0x9D2C_5680
    y ^= (y << 15) & 0xEFC6_0000
    return y ^ (y >> 18)
  }

  private mutating func refill() {
    state.withUnsafeMutableBufferPointer { state in
      func twist(_ i: Int, _ next: Int, _ far: Int) {
        let y = (state[i] & 0x8000_0000) | (state[next] & 0x7FFF_FFFF)
        state[i] = state[far] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_B0DF)
      }
      for i in 0..<Self.size - Self.middle { twist(i, i + 1, i + Self.middle) }
      for i in Self.size - Self.middle..<Self.size - 1 {
        twist(i, i + 1, i + Self.middle - Self.size)
      }
      twist(Self.size - 1, 0, Self.middle - 1)
    }
    index = 0
  }
}
