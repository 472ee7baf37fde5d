/// A tensor of a conformance case, with its values as the storage type holds them.
public struct Operand: Sendable {
  /// How a tensor reaches an operation.
  public enum Role: Sendable {
    /// Bound at execute.
    case input
    /// Bound at compile, constant, as a checkpoint's weights are.
    case weight
    /// Bound at execute, kept by the host between executions, as trained weights are.
    case state
  }

  public let storage: StorageType
  public let shape: [Int]
  /// What the stored bits stand for; exact, since f32 holds every f16, bf16 and small integer.
  public let values: [Float]
  public let role: Role

  /// The number of elements.
  public var count: Int { values.count }

  /// Rounds `values` to what `storage` can hold.
  public init(
    _ values: [Float], shape: [Int], storage: StorageType = .float32, role: Role = .input
  ) {
    self.storage = storage
    self.shape = shape
    self.values =
      storage == .float32 ? values : Self.decode(Self.encode(values, as: storage), as: storage)
    self.role = role
  }

  /// As `init(_:shape:storage:role:)`, rounded to f32 first.
  public init(
    rounding values: [Double], shape: [Int], storage: StorageType = .float32, role: Role = .input
  ) {
    self.init(values.map { Float($0) }, shape: shape, storage: storage, role: role)
  }

  /// Values with mean `offset` and standard deviation `scale`, the same for the same seed.
  public static func random(
    _ shape: [Int], seed: UInt64, scale: Double = 1, offset: Double = 0,
    storage: StorageType = .float32, role: Role = .input
  ) -> Operand {
    var generator = SplitMix64(state: seed)
    let span = scale * 3.0.squareRoot()
    let count = shape.reduce(1, *)
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      for index in 0..<count {
        let unit = Double(generator.next() >> 11) * 0x1p-52 - 1
        buffer.initializeElement(at: index, to: Float(offset + span * unit))
      }
      filled = count
    }
    return Operand(values, shape: shape, storage: storage, role: role)
  }

  /// The values as they are stored.
  public var bytes: [UInt8] { Self.encode(values, as: storage) }

  /// Rounds to nearest even.
  public static func encode(_ values: [Float], as storage: StorageType) -> [UInt8] {
    let size = storage.byteCount
    return [UInt8](unsafeUninitializedCapacity: values.count * size) { buffer, filled in
      let target = UnsafeMutableRawBufferPointer(buffer)
      for (index, value) in values.enumerated() {
        let offset = index * size
        switch storage {
        case .float32: target.storeBytes(of: value, toByteOffset: offset, as: Float.self)
        case .float16: target.storeBytes(of: Float16(value), toByteOffset: offset, as: Float16.self)
        case .bfloat16:
          target.storeBytes(of: bfloat16Bits(value), toByteOffset: offset, as: UInt16.self)
        case .int32: target.storeBytes(of: Int32(value), toByteOffset: offset, as: Int32.self)
        }
      }
      filled = values.count * size
    }
  }

  /// What stored elements stand for.
  public static func decode(_ bytes: [UInt8], as storage: StorageType) -> [Float] {
    let size = storage.byteCount
    let count = bytes.count / size
    return [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      bytes.withUnsafeBytes { source in
        for index in 0..<count {
          buffer.initializeElement(at: index, to: element(source, at: index * size, as: storage))
        }
      }
      filled = count
    }
  }

  private static func element(
    _ source: UnsafeRawBufferPointer, at offset: Int, as storage: StorageType
  ) -> Float {
    switch storage {
    case .float32: source.loadUnaligned(fromByteOffset: offset, as: Float.self)
    case .float16: Float(source.loadUnaligned(fromByteOffset: offset, as: Float16.self))
    case .bfloat16:
      Float(
        bitPattern: UInt32(source.loadUnaligned(fromByteOffset: offset, as: UInt16.self)) << 16)
    case .int32: Float(source.loadUnaligned(fromByteOffset: offset, as: Int32.self))
    }
  }

  /// To nearest even; a NaN stays a NaN.
  private static func bfloat16Bits(_ value: Float) -> UInt16 {
    if value.isNaN { return 0x7fc0 }
    let bits = value.bitPattern
    return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ ((bits >> 16) & 1)) >> 16)
  }
}

/// The generator of Steele, Lea and Flood (2014), for test data.
struct SplitMix64 {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
