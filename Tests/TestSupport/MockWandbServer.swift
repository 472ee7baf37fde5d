import Foundation
public import Testing

/// `Tests/WandbServer/mock_server.py`: a strict stand-in for a Weights & Biases server.
public final class MockWandbServer: Sendable {
  /// What the server found wrong, and what it has.
  public struct Report: Decodable, Sendable {
    public struct Finding: Decodable, Sendable {
      public let code: String
      public let reason: String
    }

    public struct Run: Decodable, Sendable {
      public let entity: String
      public let project: String
      public let name: String
      public let displayName: String?
      public let state: String
      public let exitcode: Int?
      public let tags: [String]
      public let historyRows: Int
      public let consoleLines: Int
      public let heartbeats: Int
      public let mediaReferenced: [String]
      public let uploaded: [String]
    }

    public struct Fault: Decodable, Sendable { public let on: String? }

    public let ok: Bool
    public let requests: Int
    public let rejected: [Finding]
    public let violations: [Finding]
    public let warnings: [Finding]
    public let faultsInjected: [Fault]
    public let runs: [Run]
  }

  /// A key of the form that the server accepts.
  public static let key = "k0123456789abcdefghijklmnopqrstuvwxyzABCD"

  public static let isAvailable: Bool = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return folders.contains { FileManager.default.isExecutableFile(atPath: "\($0)/python3") }
  }()

  public let port: Int
  /// What it has received, removed with this object.
  public let folder: TemporaryFolder
  private let process: Process

  /// Starts one.
  ///
  /// - Parameters:
  ///   - flags: As the server's help lists them.
  ///   - port: Nil for one that is free.
  public init(_ flags: [String] = [], port: Int? = nil) throws {
    folder = try temporaryFolder()
    let portFile = folder.file("port")
    process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      [
        "python3", Fixtures.project + "/Tests/WandbServer/mock_server.py", "--root",
        folder.file("root"), "--port", "\(port ?? 0)", "--port-file", portFile,
        "--exit-with-parent",
      ] + flags
    let messages = folder.file("messages")
    try Data().write(to: URL(fileURLWithPath: messages))
    process.standardError = FileHandle(forWritingAtPath: messages)
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    var found: Int?
    let start = ContinuousClock.now
    while found == nil, process.isRunning, ContinuousClock.now - start < .seconds(30) {
      usleep(10_000)
      found = (try? String(contentsOfFile: portFile, encoding: .utf8)).flatMap(Int.init)
    }
    self.port = try #require(
      found, Comment(rawValue: (try? String(contentsOfFile: messages, encoding: .utf8)) ?? ""))
  }

  deinit { stop() }

  /// Ends it, and waits until it has ended.
  public func stop() {
    guard process.isRunning else { return }
    // It inherits the signals that the thread which started it blocks, SIGTERM among them.
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  public var address: String { "http://127.0.0.1:\(port)" }

  /// What a program needs to find it.
  public var environment: [String: String] {
    ["WANDB_BASE_URL": address, "WANDB_API_KEY": Self.key]
  }

  public func report() throws -> Report {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Report.self, from: try request("GET", "/__mock__/report"))
  }

  /// Replaces its faults, as its flags name them, with underscores: `{"fail_every": 3}`; `{}` for none.
  public func setFaults(_ json: String) throws {
    _ = try request("POST", "/__mock__/faults", body: json)
  }

  /// The body of an answer. FoundationNetworking would bring a libcurl of its own into the process of the
  /// plugin's.
  private func request(_ method: String, _ path: String, body: String = "") throws -> Data {
    let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(connection) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let result = withUnsafeBytes(of: &address) {
      connect(
        connection, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, socklen_t($0.count))
    }
    try #require(result == 0, "the server does not take a connection")
    let head = "\(method) \(path) HTTP/1.0\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
    let bytes = Array((head + body).utf8)
    try #require(send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    var answer = Data()
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = recv(connection, &chunk, chunk.count, 0), count > 0 {
      answer += chunk[..<count]
    }
    let end = try #require(answer.range(of: Data("\r\n\r\n".utf8)))
    return answer[end.upperBound...]
  }

  /// A file of what it keeps of a run: `history.jsonl`, `config.json`, `summary.json`, `output.log`.
  public func text(_ run: Report.Run, _ name: String) throws -> String {
    let folders = [run.entity, run.project, run.name].map(Self.quoted)
    let path = "root/runs/" + folders.joined(separator: "/") + "/" + name
    return try String(contentsOfFile: folder.file(path), encoding: .utf8)
  }

  /// A name as the server's folders have it: all but some ASCII in percent form.
  private static func quoted(_ name: String) -> String {
    let kept = CharacterSet(charactersIn: "a"..."z").union(CharacterSet(charactersIn: "A"..."Z"))
      .union(CharacterSet(charactersIn: "0"..."9")).union(CharacterSet(charactersIn: " -_.~"))
    return name.addingPercentEncoding(withAllowedCharacters: kept) ?? name
  }

  /// The `_step` of each row of a run.
  public func steps(_ run: Report.Run) throws -> [Int] {
    try text(run, "history.jsonl").split(separator: "\n").map { line in
      let found = try #require(line.firstMatch(of: /"_step": (\d+)/))
      return try #require(Int(found.1))
    }
  }

  /// Expects that nothing was refused, wrong or unusual.
  @discardableResult
  public func expectFlawless(
    allowing warnings: Set<String> = [], sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> Report {
    let report = try report()
    let findings =
      report.rejected + report.violations
      + report.warnings.filter { !warnings.contains($0.code) }
    #expect(
      report.ok && findings.isEmpty,
      Comment(rawValue: findings.map { "\($0.code): \($0.reason)" }.joined(separator: "\n")),
      sourceLocation: sourceLocation)
    return report
  }
}
