import EspalierABI

/// A tensor of a conformance case, with its values as the storage type holds them.
struct Operand {
  /// Storage types, `ESP_DTYPE_…`.
  enum Storage: Int32, CaseIterable {
    case float32 = 0
    case float16 = 1
    case bfloat16 = 2
    case int32 = 3

    var byteCount: Int { self == .float16 || self == .bfloat16 ? 2 : 4 }
  }

  let storage: Storage
  let shape: [Int]
  let values: [Double]
  /// Bound at compile, as checkpoints' weights are.
  var isWeight = false

  var count: Int { values.count }

  /// Rounds `values` to what `storage` can hold.
  init(_ values: [Double], shape: [Int], storage: Storage = .float32, isWeight: Bool = false) {
    self.storage = storage
    self.shape = shape
    self.values = Self.decode(Self.encode(values, as: storage), as: storage)
    self.isWeight = isWeight
  }

  /// Values with mean `offset` and standard deviation `scale`, the same for the same seed.
  static func random(
    _ shape: [Int], seed: UInt64, scale: Double = 1, offset: Double = 0,
    storage: Storage = .float32, isWeight: Bool = false
  ) -> Operand {
    var generator = SplitMix64(state: seed)
    let values = (0..<shape.reduce(1, *)).map { _ in
      offset + scale * Double.random(in: -1...1, using: &generator) * 3.0.squareRoot()
    }
    return Operand(values, shape: shape, storage: storage, isWeight: isWeight)
  }

  var bytes: [UInt8] { Self.encode(values, as: storage) }

  static func encode(_ values: [Double], as storage: Storage) -> [UInt8] {
    switch storage {
    case .float32: values.flatMap { raw(Float($0)) }
    case .float16: values.flatMap { raw(Float16($0)) }
    case .bfloat16: values.flatMap { raw(bfloat16Bits(Float($0))) }
    case .int32: values.flatMap { raw(Int32($0)) }
    }
  }

  static func decode(_ bytes: [UInt8], as storage: Storage) -> [Double] {
    bytes.withUnsafeBytes { source in
      stride(from: 0, to: bytes.count, by: storage.byteCount).map { offset in
        switch storage {
        case .float32: Double(source.loadUnaligned(fromByteOffset: offset, as: Float.self))
        case .float16: Double(source.loadUnaligned(fromByteOffset: offset, as: Float16.self))
        case .bfloat16:
          Double(
            Float(
              bitPattern: UInt32(source.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
                << 16))
        case .int32: Double(source.loadUnaligned(fromByteOffset: offset, as: Int32.self))
        }
      }
    }
  }

  private static func raw<T: BitwiseCopyable>(_ value: T) -> [UInt8] {
    withUnsafeBytes(of: value) { Array($0) }
  }

  /// To nearest even; a NaN stays a NaN.
  private static func bfloat16Bits(_ value: Float) -> UInt16 {
    if value.isNaN { return 0x7fc0 }
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ ((bits >> 16) & 1)) >> 16)
  }
}

/// The generator of Steele, Lea and Flood (2014), for test data.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
