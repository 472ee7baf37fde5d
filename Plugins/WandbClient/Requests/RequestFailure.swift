import CWandbClient
import EspalierPluginKit
import Glibc

/// A request that did not do what it should.
struct RequestFailure: Error {
  enum Reason: Equatable {
    /// No answer: the network, a name, a certificate, a reset connection.
    case noAnswer
    /// An HTTP status that is not a success.
    case status(Int)
    /// `errors` in the answer to a GraphQL request.
    case graphQL
    /// An answer that cannot be read.
    case answer
  }

  let reason: Reason
  /// What was asked, what came back; without credentials and signed addresses.
  let message: String
  /// Seconds that the server wants its client to wait.
  var wait: Double?

  /// Never worth another try, as the official client has it.
  private static let finalStatuses: Set<Int> = [400, 401, 403, 404, 409, 410, 413, 422, 501]

  /// Whether the same request may succeed later.
  var isTemporary: Bool {
    switch reason {
    case .noAnswer, .graphQL, .answer: true
    // A redirect is the sign of a wrong address.
    case .status(let status): status >= 400 && !Self.finalStatuses.contains(status)
    }
  }

  /// The key, or what its owner may do.
  var isRefusal: Bool { reason == .status(401) || reason == .status(403) }
}

extension RequestFailure {
  /// - Parameter operation: What was asked: `create the run`.
  init(_ operation: String, _ failure: HTTPFailure) {
    self.init(reason: .noAnswer, message: "cannot \(operation): \(failure.message)")
  }

  /// An answer whose status is not a success.
  init(_ operation: String, _ response: HTTPResponse) {
    var text = "cannot \(operation): the server answers \(response.status)"
    if let detail = Self.detail(response.body) { text += ": " + detail }
    if (300..<400).contains(response.status) {
      text += ", a redirect; WANDB_BASE_URL must be the address itself"
    }
    self.init(
      reason: .status(response.status), message: text, wait: Self.wait(response.headers))
  }

  /// The reason in a body: `{"error": "…"}` or GraphQL's `{"errors": [{"message": "…"}]}`.
  static func detail(_ body: [UInt8]) -> String? {
    guard body.count < 1 << 20,
      let answer = try? JSONValue(parsing: String(decoding: body, as: UTF8.self))
    else { return nil }
    let texts = answer["errors"]?.elements.compactMap { $0["message"]?.string } ?? []
    let text = texts.isEmpty ? answer["error"]?.string : texts.joined(separator: "; ")
    return text.map { String($0.prefix(300)) }
  }

  /// What `Retry-After` (seconds or a date) and `RateLimit-…` ask for.
  static func wait(_ headers: [String: String]) -> Double? {
    var waits: [Double] = []
    if let text = headers["retry-after"] {
      if let seconds = Double(text) {
        waits.append(seconds)
      } else if case let date = espalier_http_date(text), date >= 0 {
        waits.append(Double(date - Int64(time(nil))))
      }
    }
    if headers["ratelimit-remaining"].flatMap(Double.init) == 0,
      let reset = headers["ratelimit-reset"].flatMap(Double.init)
    {
      waits.append(reset)
    }
    return waits.filter { $0.isFinite }.map { min(max($0, 0), longestWait) }.max()
  }

  /// However long a server asks to wait, it is asked again after an hour.
  private static let longestWait = 3600.0
}
