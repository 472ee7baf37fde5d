import CWandbClient
import EspalierABI
import EspalierPluginKit

/// A request to a server.
struct HTTPRequest {
  var method = "POST"
  var url: String
  /// `Name: value`.
  var headers: [String] = []
  var body: [UInt8] = []
  /// Sent as the password of the user `api`; nil for addresses that must not see it.
  var key: APIKey?
  /// Seconds for the whole request.
  var timeout: Double
}

/// What a server answered, of whatever status.
struct HTTPResponse {
  let status: Int
  /// By their names in lower case.
  let headers: [String: String]
  let body: [UInt8]
}

/// There was no answer.
struct HTTPFailure: Error {
  /// Without credentials.
  let message: String
}

/// A kept connection, for requests of one thread.
final class HTTPConnection: @unchecked Sendable {
  // SAFETY: `perform` is called from the sender's thread alone; the deadline is an atomic of the C side.
  private let client: OpaquePointer

  static let userAgent = "espalier-logger-wandb/1.0"
  private static let connectSeconds = 20.0

  /// - Throws: `PluginError` if there is no memory.
  init() throws(PluginError) {
    guard let client = espalier_http_create() else {
      throw PluginError(ESP_OUT_OF_MEMORY, "wandb logger: no memory for a connection")
    }
    self.client = client
  }

  deinit { espalier_http_destroy(client) }

  /// Milliseconds of the clock of deadlines.
  static var clock: Int64 { espalier_http_clock_ms() }

  /// Ends requests at a time of `clock`, also one that is under way; from any thread.
  func setDeadline(_ clock: Int64) { espalier_http_set_deadline(client, clock) }

  func perform(_ request: HTTPRequest) throws(HTTPFailure) -> HTTPResponse {
    var answer = espalier_http_response()
    defer { espalier_http_release(&answer) }
    guard call(request, &answer) != 0 else {
      let message = withUnsafeBytes(of: answer.message) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      throw HTTPFailure(message: message)
    }
    let head = answer.headers.map {
      UnsafeRawBufferPointer(start: $0, count: answer.header_bytes)
    }
    return HTTPResponse(
      status: Int(answer.status),
      headers: Self.headers(String(decoding: head ?? .init(start: nil, count: 0), as: UTF8.self)),
      body: Array(UnsafeBufferPointer(start: answer.body, count: answer.body_bytes)))
  }

  private func call(_ request: HTTPRequest, _ answer: inout espalier_http_response) -> Int32 {
    let headers = request.headers.map { $0 + "\n" }.joined()
    return request.method.withCString { method in
      request.url.withCString { url in
        headers.withCString { headers in
          Self.userAgent.withCString { agent in
            request.body.withUnsafeBufferPointer { body in
              Self.withCredentials(request.key) { user, password in
                var call = espalier_http_request(
                  method: method, url: url, headers: headers, user: user, password: password,
                  body: body.baseAddress, body_bytes: body.count, user_agent: agent,
                  connect_timeout_ms: Int64(Self.connectSeconds * 1000),
                  timeout_ms: Int64(request.timeout * 1000))
                return espalier_http_perform(client, &call, &answer)
              }
            }
          }
        }
      }
    }
  }

  private static func withCredentials(
    _ key: APIKey?, _ body: (UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Int32
  ) -> Int32 {
    guard let key else { return body(nil, nil) }
    return "api".withCString { user in key.secret.withCString { body(user, $0) } }
  }

  private static func headers(_ lines: String) -> [String: String] {
    var headers: [String: String] = [:]
    for line in lines.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      headers[line[..<colon].lowercased()] = trimmed(line[line.index(after: colon)...])
    }
    return headers
  }
}

/// A text without white space at its ends.
func trimmed(_ text: some StringProtocol) -> String {
  let head = text.drop(while: \.isWhitespace)
  return String(head.reversed().drop(while: \.isWhitespace).reversed())
}
