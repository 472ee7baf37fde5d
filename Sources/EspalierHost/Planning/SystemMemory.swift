import Foundation

/// The memory of the machine as this process may use it.
public struct SystemMemory: Sendable, Equatable {
  /// What the kernel can hand out without swapping: `MemAvailable` of `/proc/meminfo`.
  public var available: Int?
  /// What the memory limits of this process's control groups leave, files that can be dropped not counted as used.
  public var controlGroupHeadroom: Int?
  /// What `ulimit -v` leaves; mapped files count against it.
  public var addressSpaceHeadroom: Int?

  public init(
    available: Int? = nil, controlGroupHeadroom: Int? = nil, addressSpaceHeadroom: Int? = nil
  ) {
    self.available = available
    self.controlGroupHeadroom = controlGroupHeadroom
    self.addressSpaceHeadroom = addressSpaceHeadroom
  }

  /// For messages.
  public static let name = "this machine"

  /// The least of all limits; nil if none is known.
  public var availableByteCount: Int? {
    [available, controlGroupHeadroom, addressSpaceHeadroom].compactMap(\.self).min()
  }

  /// As it is now.
  public static var current: SystemMemory {
    SystemMemory(
      available: kibibytes("MemAvailable:", in: text("/proc/meminfo")),
      controlGroupHeadroom: controlGroupHeadroom(
        groups: text("/proc/self/cgroup"), root: "/sys/fs/cgroup"),
      addressSpaceHeadroom: addressSpaceHeadroom())
  }

  /// The number after a key in a file of lines such as `MemAvailable:   123 kB`, in bytes.
  package static func kibibytes(_ key: String, in text: String?) -> Int? {
    for line in (text ?? "").split(separator: "\n") where line.hasPrefix(key) {
      let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
      guard words.count > 1, let value = Int(words[1]) else { return nil }
      return value.multipliedReportingOverflow(by: 1024).partialValue
    }
    return nil
  }

  /// The least that the groups from this process's own up to the root leave.
  ///
  /// - Parameters:
  ///   - groups: The content of `/proc/self/cgroup`; version 2 has one line `0::/path`, version 1 one for each set of
  ///     controllers, `4:memory:/path`.
  ///   - root: Where the groups are mounted.
  package static func controlGroupHeadroom(groups: String?, root: String) -> Int? {
    let lines = (groups ?? "").split(separator: "\n").map {
      $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
    }
    func path(_ isWanted: (Substring) -> Bool) -> Substring? {
      lines.first { $0.count == 3 && isWanted($0[1]) }?[2]
    }
    let unified = path(\.isEmpty).flatMap {
      headroom(root, $0, limit: "memory.max", used: "memory.current", prefix: "")
    }
    let separate = path { $0.split(separator: ",").contains("memory") }.flatMap {
      headroom(
        root + "/memory", $0, limit: "memory.limit_in_bytes", used: "memory.usage_in_bytes",
        prefix: "total_")
    }
    return [unified, separate].compactMap(\.self).min()
  }

  /// - Parameter prefix: Of the statistics that count a group and those below it.
  private static func headroom(
    _ root: String, _ group: Substring, limit: String, used: String, prefix: String
  ) -> Int? {
    var path = group
    var headrooms: [Int] = []
    while true {
      let folder = root + (path == "/" ? "" : path)
      if let limit = number(folder + "/" + limit), let used = number(folder + "/" + used) {
        let files = ["inactive_file ", "active_file "].reduce(0) {
          $0 + (statistic(prefix + $1, in: text(folder + "/memory.stat")) ?? 0)
        }
        headrooms.append(max(0, limit - max(0, used - files)))
      }
      guard let end = path.lastIndex(of: "/"), path.count > 1 else { return headrooms.min() }
      path = end == path.startIndex ? "/" : path[..<end]
    }
  }

  private static func addressSpaceHeadroom() -> Int? {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      limit.rlim_cur != rlim_t(bitPattern: -1),
      let used = kibibytes("VmSize:", in: text("/proc/self/status"))
    else { return nil }
    return max(0, Int(clamping: limit.rlim_cur) - used)
  }

  /// A file with a number alone; nil for `max`.
  private static func number(_ path: String) -> Int? {
    text(path).flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  private static func statistic(_ key: String, in text: String?) -> Int? {
    (text ?? "").split(separator: "\n").first { $0.hasPrefix(key) }
      .flatMap { Int($0.dropFirst(key.count)) }
  }

  private static func text(_ path: String) -> String? {
    try? String(contentsOfFile: path, encoding: .utf8)
  }
}
