/// Memory for temporaries that executables of one device share, since they never run at the same time.
public final class ArenaPool {
  private let device: ComputeDevice
  private var arenas: [DeviceBuffer] = []

  public init(_ device: ComputeDevice) { self.device = device }

  /// Bytes held.
  public var byteCount: Int { arenas.reduce(0) { $0 + $1.byteCount } }

  /// Makes memory of these sizes unless it is there, so that smaller executables that come first find room in it.
  ///
  /// - Throws: `BackendError` if the device has no room.
  public func reserve(_ sizes: [Int]) throws(BackendError) { _ = try take(sizes) }

  /// One buffer for each size, no two the same; makes what is missing. Make the largest executable first.
  func take(_ sizes: [Int]) throws(BackendError) -> [DeviceBuffer] {
    var free = arenas
    var taken: [DeviceBuffer] = []
    for size in sizes {
      if let index = Self.bestFit(size, free.map(\.byteCount)) {
        taken.append(free.remove(at: index))
      } else {
        let buffer = try DeviceBuffer(device, byteCount: size, usage: .arena)
        arenas.append(buffer)
        taken.append(buffer)
      }
    }
    return taken
  }

  /// Those of the sizes that `take` would have to make.
  func missing(_ sizes: [Int]) -> [Int] {
    var free = arenas.map(\.byteCount)
    return sizes.filter { size in
      guard let index = Self.bestFit(size, free) else { return true }
      free.remove(at: index)
      return false
    }
  }

  /// The smallest that is large enough.
  private static func bestFit(_ size: Int, _ free: [Int]) -> Int? {
    free.indices.filter { free[$0] >= size }.min { free[$0] < free[$1] }
  }
}
