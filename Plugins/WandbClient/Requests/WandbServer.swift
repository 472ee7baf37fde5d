import EspalierPluginKit

/// The requests of the W&B protocol that a logger needs.
///
/// The key goes to the server's own address and nowhere else. For the sender's thread.
struct WandbServer: Sendable {
  let address: ServerAddress
  let key: APIKey
  let connection: HTTPConnection

  /// Seconds that one attempt may take, as in the official client.
  private static let graphQLTimeout = 30.0
  private static let streamTimeout = 180.0
  private static let uploadTimeout = 600.0

  /// What the server has of a run; nil if there is none of this id.
  ///
  /// - Parameter entity: Nil for the key's own.
  func run(
    _ id: String, project: String, entity: String?
  ) throws(RequestFailure) -> RemoteRun? {
    let data = try query(
      .runResumeStatus,
      ["name": .string(id), "project": .string(project), "entity": Self.text(entity)])
    guard let bucket = data["model"]?["bucket"], RemoteRun.isRun(bucket) else { return nil }
    return RemoteRun(bucket)
  }

  /// What an upsert tells.
  struct CreatedRun {
    let place: RunPlace
    let displayName: String?
    /// The first free line of the history; nil if the server does not tell.
    let historyLines: Int?
  }

  /// Creates a run, or goes on with it.
  ///
  /// - Parameter variables: Those of `GraphQLDocument.upsertBucket`; null members are left out.
  func upsert(_ variables: [String: JSONValue]) throws(RequestFailure) -> CreatedRun {
    let document = GraphQLDocument.upsertBucket
    let data = try query(document, variables)
    guard let bucket = data["upsertBucket"]?["bucket"], let run = bucket["name"]?.string,
      let project = bucket["project"]?["name"]?.string,
      let entity = bucket["project"]?["entity"]?["name"]?.string
    else { throw Self.unreadable(document.purpose) }
    return CreatedRun(
      place: RunPlace(entity: entity, project: project, run: run),
      displayName: bucket["displayName"]?.string, historyLines: bucket["historyLineCount"]?.int)
  }

  /// Where files can be put, by name, and the headers that each upload needs.
  func uploadPlaces(
    _ files: [String], of place: RunPlace
  ) throws(RequestFailure) -> (urls: [String: String], headers: [String]) {
    let document = GraphQLDocument.createRunFiles
    let data = try query(
      document,
      [
        "entity": .string(place.entity), "project": .string(place.project),
        "run": .string(place.run), "files": .array(files.map { .string($0) }),
      ])
    guard let answer = data["createRunFiles"] else { throw Self.unreadable(document.purpose) }
    var urls: [String: String] = [:]
    for file in answer["files"]?.elements ?? [] {
      if let name = file["name"]?.string { urls[name] = file["uploadUrl"]?.string }
    }
    let headers = answer["uploadHeaders"]?.elements.compactMap(\.string) ?? []
    // A line break would end the header and begin another.
    return (urls, headers.filter { !$0.contains(where: \.isNewline) })
  }

  /// Puts a file to its signed address, which must not see the key.
  func upload(
    _ file: [UInt8], to url: String, headers: [String], name: String
  ) throws(RequestFailure) {
    let request = HTTPRequest(
      method: "PUT", url: url.hasPrefix("/") ? address.base + url : url,
      // Neither waits for permission to send the body, nor claims a type that nobody signed.
      headers: ["Expect:"] + headers, body: file, key: nil, timeout: Self.uploadTimeout)
    _ = try perform(request, "upload \(name)")
  }

  /// Sends lines, names of uploaded files, the end; an empty object says that the run is alive.
  ///
  /// - Returns: Whether somebody asked for the end of the run.
  func stream(_ body: String, to place: RunPlace) throws(RequestFailure) -> Bool {
    let path = [place.entity, place.project, place.run].map(pathSegment).joined(separator: "/")
    let request = HTTPRequest(
      url: "\(address.base)/files/\(path)/file_stream", headers: Self.jsonHeaders,
      body: Array(body.utf8), key: key, timeout: Self.streamTimeout)
    let response = try perform(request, "send to the run")
    let answer = try? JSONValue(parsing: String(decoding: response.body, as: UTF8.self))
    return answer?["stopped"] == .bool(true)
  }

  private static let jsonHeaders = ["Content-Type: application/json", "Expect:"]

  private func query(
    _ document: GraphQLDocument, _ variables: [String: JSONValue]
  ) throws(RequestFailure) -> JSONValue {
    let body = JSONValue.object([
      "query": .string(document.text), "operationName": .string(document.name),
      "variables": .object(variables.filter { $0.value != .null }),
    ])
    let request = HTTPRequest(
      url: address.base + "/graphql", headers: Self.jsonHeaders, body: Array(body.text.utf8),
      key: key, timeout: Self.graphQLTimeout)
    var response: HTTPResponse
    do throws(RequestFailure) {
      response = try perform(request, document.purpose)
    } catch {
      // The official client has it that somebody else just changes the run.
      guard error.reason == .status(409), document.name == "UpsertBucket" else { throw error }
      throw RequestFailure(reason: .status(503), message: error.message, wait: error.wait)
    }
    guard let answer = try? JSONValue(parsing: String(decoding: response.body, as: UTF8.self))
    else { throw Self.unreadable(document.purpose) }
    if let errors = answer["errors"]?.elements, !errors.isEmpty {
      throw Self.graphQLFailure(document.purpose, errors, response.body)
    }
    guard let data = answer["data"] else { throw Self.unreadable(document.purpose) }
    return data
  }

  private static func graphQLFailure(
    _ purpose: String, _ errors: [JSONValue], _ body: [UInt8]
  ) -> RequestFailure {
    let isDenied = errors.contains { error in
      error["extensions"]?["code"]?.string == "PERMISSION_ERROR"
        || error["message"]?.string == "permission denied"
    }
    let detail = RequestFailure.detail(body) ?? "no reason given"
    return RequestFailure(
      reason: isDenied ? .status(403) : .graphQL,
      message: "cannot \(purpose): the server answers: \(detail)")
  }

  private func perform(
    _ request: HTTPRequest, _ purpose: String
  ) throws(RequestFailure) -> HTTPResponse {
    let response: HTTPResponse
    do throws(HTTPFailure) {
      response = try connection.perform(request)
    } catch { throw RequestFailure(purpose, error) }
    guard (200..<300).contains(response.status) else { throw RequestFailure(purpose, response) }
    return response
  }

  private static func unreadable(_ purpose: String) -> RequestFailure {
    RequestFailure(
      reason: .answer,
      message: "cannot \(purpose): the answer is not that of a W&B server; check WANDB_BASE_URL")
  }

  private static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
}
