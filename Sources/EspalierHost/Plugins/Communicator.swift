import EspalierABI
import Synchronization

/// The processes of a run that train together, through a communicator plugin.
///
/// All processes make the same calls in the same order. Calls are serialised.
// SAFETY: `api` leads to a table that is never written; calls are made inside `lock`.
public final class Communicator: @unchecked Sendable {
  /// How the values of all processes are combined.
  public enum Reduction: Sendable {
    case sum, max

    fileprivate var code: Int32 {
      switch self {
      case .sum: ESP_REDUCE_SUM
      case .max: ESP_REDUCE_MAX
      }
    }
  }

  public let name: String
  /// This process's number, 0 ..< size.
  public let rank: Int
  /// The number of processes.
  public let size: Int
  private let api: UnsafePointer<esp_communicator_api>
  private let lock = Mutex(false)  // true once finalized

  init(name: String, api: UnsafePointer<esp_communicator_api>) throws(CommunicatorError) {
    self.name = name
    self.api = api
    var (rank, size) = (UInt32(0), UInt32(0))
    do {
      try callPlugin { api.pointee.`init`(&rank, &size, $0) }
    } catch {
      throw .failed(communicator: name, operation: "join the other processes", error)
    }
    guard rank < size else {
      throw .invalidRank(communicator: name, rank: Int(rank), size: Int(size))
    }
    (self.rank, self.size) = (Int(rank), Int(size))
  }

  /// Sends the bytes of the process `root` to all others, into theirs.
  public func broadcast(
    _ bytes: UnsafeMutableRawBufferPointer, root: Int = 0
  ) throws(CommunicatorError) {
    guard let base = bytes.baseAddress else { return }
    try call("broadcast \(bytes.count) bytes") {
      $0.broadcast(base, UInt64(bytes.count), UInt32(clamping: root), $1)
    }
  }

  /// Replaces the values of every process by their sum or maximum over all processes.
  public func allReduce(
    _ values: UnsafeMutableBufferPointer<Float>, _ reduction: Reduction = .sum
  ) throws(CommunicatorError) {
    guard let base = values.baseAddress else { return }
    try call("reduce \(values.count) values") {
      $0.all_reduce(base, UInt64(values.count), reduction.code, $1)
    }
  }

  /// Waits until all processes are here.
  public func barrier() throws(CommunicatorError) {
    try call("wait for the other processes") { $0.barrier($1) }
  }

  /// Leaves the other processes; the last call.
  public func finalize() {
    lock.withLock { finalized in
      if !finalized { api.pointee.finalize() }
      finalized = true
    }
  }

  private func call(
    _ operation: @autoclosure () -> String,
    _ body: (esp_communicator_api, UnsafeMutablePointer<esp_error>) -> Int32
  ) throws(CommunicatorError) {
    let failure: CallFailure? = lock.withLock { _ in
      do throws(CallFailure) {
        try callPlugin { body(api.pointee, $0) }
        return nil
      } catch {
        return error
      }
    }
    if let failure {
      throw .failed(communicator: name, operation: operation(), failure)
    }
  }
}

/// What went wrong between the processes of a run.
public enum CommunicatorError: Error, Equatable {
  case failed(communicator: String, operation: String, CallFailure)
  /// The plugin says that this process's number is not below the number of processes.
  case invalidRank(communicator: String, rank: Int, size: Int)
}

extension CommunicatorError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .failed(let communicator, let operation, let failure):
      "communicator '\(communicator)': cannot \(operation): \(failure)"
    case .invalidRank(let communicator, let rank, let size):
      "communicator '\(communicator)' says that this is process \(rank) of \(size);"
        + " expected a number below \(size): check how the run was started"
    }
  }
}
