import EspalierTensors
import Glibc

/// What a run writes into a folder.
public struct DiskNeed: Sendable, Equatable {
  /// The folder; it may not exist yet.
  public let path: String
  /// What is written there: `the caches`.
  public let what: String
  /// At most at the same time, in bytes.
  public let byteCount: Int
  /// What can be done about it.
  public let remedy: String

  public init(path: String, what: String, byteCount: Int, remedy: String) {
    self.path = path
    self.what = what
    self.byteCount = byteCount
    self.remedy = remedy
  }

  /// The file system that a path lies in, and what a user may still write there.
  public struct Space: Sendable, Equatable {
    public let device: UInt64
    public let availableByteCount: Int

    public init(device: UInt64, availableByteCount: Int) {
      self.device = device
      self.availableByteCount = availableByteCount
    }

    /// Asks the system about the nearest folder of the path that exists; nil if it does not tell.
    public init?(at path: String) {
      var folder = path.isEmpty ? "." : path
      var status = stat()
      while stat(folder, &status) != 0 {
        guard errno == ENOENT, folder != "/", folder != "." else { return nil }
        let end = folder.lastIndex(of: "/")
        folder = end.map { $0 == folder.startIndex ? "/" : String(folder[..<$0]) } ?? "."
      }
      guard let bytes = try? DiskSpace.available(in: folder) else { return nil }
      device = UInt64(status.st_dev)
      availableByteCount = bytes
    }
  }

  /// Refuses a run for which a file system has no room; what goes into the same one is added up.
  ///
  /// - Parameter space: What is free at a path.
  /// - Throws: `PlanError.disk`.
  public static func check(
    _ needs: [DiskNeed], space: (String) -> Space? = { Space(at: $0) }
  ) throws(PlanError) {
    var byDevice: [UInt64: (space: Space, needs: [DiskNeed])] = [:]
    for need in needs where need.byteCount > 0 {
      guard let found = space(need.path) else { continue }
      byDevice[found.device, default: (found, [])].needs.append(need)
    }
    for (space, needs) in byDevice.values {
      let total = needs.reduce(0) { $0.addingReportingOverflow($1.byteCount).partialValue }
      if total > space.availableByteCount {
        throw .disk(needs: needs, availableBytes: space.availableByteCount)
      }
    }
  }
}
