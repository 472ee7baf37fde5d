import EspalierPluginKit

/// The images on their way to the server.
final class Uploads {
  private typealias Places = (urls: [String: String], headers: [String])

  /// The server has them, but has not been told so.
  private(set) var unannounced: [String] = []
  /// Given up for this session; they stay on the disk.
  private var failed: Set<String> = []
  /// Tries of each image that was refused or not reached.
  private var tries: [String: Int] = [:]
  /// Where the server wants images: good for a second try, until an address is refused.
  private var places: Places?
  private var delay: RetryDelay
  private var notBefore: Int64 = 0

  private static let mostTries = 20
  /// So many addresses are asked for at once.
  private static let atOnce = 32

  init(firstRetry: Double) { delay = RetryDelay(first: firstRetry) }

  /// What is still to be uploaded.
  func waiting(in spool: Spool) -> [String] {
    spool.waitingMedia.filter { !failed.contains($0) && !unannounced.contains($0) }
  }

  /// When to try again, on the clock of `HTTPConnection`.
  var nextTry: Int64 { notBefore }

  /// Uploads what waits, until `isDue` says that something else is more urgent.
  ///
  /// - Parameters:
  ///   - longestWait: Seconds before the next try after a failure, at most.
  ///   - report: Gets what is given up.
  func run(
    _ spool: Spool, _ server: WandbServer, _ place: RunPlace, longestWait: Double?,
    isDue: () -> Bool, report: (String) -> Void
  ) throws(PluginError) {
    let names = Array(waiting(in: spool).prefix(Self.atOnce))
    guard !names.isEmpty, HTTPConnection.clock >= notBefore else { return }
    do throws(RequestFailure) {
      let places = try places(of: names, server, place)
      for name in names {
        guard let bytes = try Self.read(spool, name) else {
          spool.removeMedia(name)
          continue
        }
        try upload(name, bytes, places, server)
        if isDue() { return }
      }
    } catch {
      postpone(error, longestWait)
      for name in names where !error.isTemporary { give(up: name, error.message, report) }
    }
    for name in names where tries[name] ?? 0 >= Self.mostTries {
      give(up: name, "\(Self.mostTries) tries failed", report)
    }
  }

  /// The addresses of images: those that are known, or new ones for all of them.
  private func places(
    of names: [String], _ server: WandbServer, _ place: RunPlace
  ) throws(RequestFailure) -> Places {
    if let places, names.allSatisfy({ places.urls[$0] != nil }) { return places }
    let found = try server.uploadPlaces(names, of: place)
    delay.succeed()
    places = found
    return found
  }

  /// Lets go of images of which the server was told.
  func announced(_ names: [String], _ spool: Spool) {
    for name in names { spool.removeMedia(name) }
    unannounced.removeAll { names.contains($0) }
  }

  /// - Throws: `RequestFailure` if the next image would fare no better.
  private func upload(
    _ name: String, _ bytes: [UInt8], _ places: Places, _ server: WandbServer
  ) throws(RequestFailure) {
    guard let url = places.urls[name] else {
      tries[name, default: 0] += 1
      self.places = nil
      throw RequestFailure(reason: .answer, message: "the server gives no address for \(name)")
    }
    do throws(RequestFailure) {
      try server.upload(bytes, to: url, headers: places.headers, name: name)
      delay.succeed()
      unannounced.append(name)
      tries[name] = nil
    } catch {
      // Whatever is wrong with one address, the next one may do: it may just have expired.
      tries[name, default: 0] += error.isTemporary ? 1 : Self.mostTries / 2
      guard error.isTemporary else {
        self.places = nil
        return
      }
      throw error
    }
  }

  private func postpone(_ failure: RequestFailure, _ longestWait: Double?) {
    let wait = delay.next(asked: failure.wait)
    notBefore = HTTPConnection.clock + Int64(min(wait, longestWait ?? .infinity) * 1000)
  }

  private func give(up name: String, _ reason: String, _ report: (String) -> Void) {
    guard failed.insert(name).inserted else { return }
    report("\(name) is not uploaded: \(reason)")
  }

  /// What cannot be read is as good as gone.
  private static func read(_ spool: Spool, _ name: String) throws(RequestFailure) -> [UInt8]? {
    (try? spool.readMedia(name)) ?? nil
  }
}
