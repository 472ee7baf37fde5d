import CVulkanDriver
import EspalierABI
import EspalierPluginKit

/// A compiled graph: every pipeline made, the commands recorded at the first execution and kept.
// SAFETY: the queue's lock guards everything that changes.
final class VulkanExecutable: BackendExecutable, @unchecked Sendable {
  private let device: VulkanDevice
  private let dispatches: [PreparedDispatch]
  private let planned: AddressMap
  private var recording: Recording?
  /// The same with timestamps.
  private var timedRecording: Recording?
  /// What the timeline reaches when the last execution is done.
  private var lastSubmission: UInt64 = 0

  /// Submissions that may be under way before the next one waits.
  private static let submissionsInFlight = 3

  /// - Parameter graph: Every node of it can run here.
  /// - Throws: What the compiler or the driver reports, naming the node.
  init(_ device: VulkanDevice, _ graph: BackendGraph, _ plan: BackendPlan) throws(PluginError) {
    self.device = device
    planned = AddressMap(plan)
    var prepared: [PreparedDispatch] = []
    for (index, node) in graph.nodes.enumerated() {
      let lowering = NodeLowering(node, of: graph)
      for dispatch in lowering.dispatches(on: device.limits) {
        prepared.append(
          try PreparedDispatch(dispatch, node: index, label: node.label, on: device))
      }
    }
    dispatches = prepared
  }

  deinit {
    device.queue.lock.locked {
      device.queue.settle()
      releaseCommands()
      device.dismiss(self)
    }
  }

  func execute(_ places: [Place?], timer: NodeTimer?) throws(PluginError) {
    try device.queue.lock.locked { () throws(PluginError) in
      try device.queue.throwIfLost()
      // Commands that are under way must not be submitted again.
      try device.queue.wait(for: lastSubmission)
      var addresses = planned
      try addresses.bind(places)
      let recording = try recording(for: addresses, isTimed: timer != nil)
      try submit(recording)
      if let timer, let timestamps = recording.timestamps {
        try device.queue.waitForAll()
        try timestamps.report(to: timer)
      }
      try Validation.check()
    }
  }

  /// Frees the recorded commands; the device must be done with them.
  func releaseCommands() {
    recording = nil
    timedRecording = nil
  }

  private func submit(_ recording: Recording) throws(PluginError) {
    var pending: [UInt64] = []
    for commands in recording.commands {
      if device.host?.isCancelled == true {
        throw PluginError(ESP_CANCELLED, "vulkan: stopped before the graph was done")
      }
      if pending.count >= Self.submissionsInFlight {
        try device.queue.wait(for: pending.removeFirst())
      }
      lastSubmission = try device.queue.submit(commands)
      pending.append(lastSubmission)
    }
  }

  /// The commands for these addresses, recorded now if they are new.
  private func recording(
    for addresses: AddressMap, isTimed: Bool
  ) throws(PluginError) -> Recording {
    if let known = isTimed ? timedRecording : recording, known.addresses == addresses {
      return known
    }
    let made = try Recording(dispatches, addresses: addresses, on: device, isTimed: isTimed)
    if isTimed { timedRecording = made } else { recording = made }
    return made
  }
}
