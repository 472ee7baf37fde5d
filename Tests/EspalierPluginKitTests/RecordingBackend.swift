import EspalierABI
import EspalierPluginKit
import Foundation
import Synchronization

/// A backend that computes nothing and remembers what the kit asked of it.
///
/// Device 0 uses the host's memory in place, device 1 does not. A node's integers say what the analysis
/// answers: scratch bytes, the inputs whose place it may take, bytes of a copy of a weight and which input that is;
/// operation 99 cannot run.
struct RecordingBackend: BackendPlugin {
  static let name = "recording"
  static let version = "1.2.3"
  static let summary = "Remembers what it is asked"
  static let importsMemory = true
  static let options: [any DescribedOption] = [fails, label, count, scale, mode, list]

  enum Mode: String, CaseIterable {
    case plain, fancy
  }

  static let fails = PluginOption.bool("fails", default: false, "Refuses to open")
  static let label = PluginOption.string("label", "Any text")
  static let count = PluginOption.int("count", default: 2, in: 1...8, "How many")
  static let scale = PluginOption.number(
    "scale", default: 0.5, where: { $0 > 0 }, "a number above 0", "How much")
  static let mode = PluginOption.choice("mode", default: Mode.plain, "Which way")
  static let list = PluginOption.numbers("list", "Some numbers")
  /// The second one is too long for the boundary.
  static let names = ["Imports", String(repeating: "ß", count: 80)]

  func devices() throws(PluginError) -> [BackendDeviceDescription] {
    Self.names.map { name in
      BackendDeviceDescription(
        deviceClass: ESP_DEVICE_SOFTWARE_GPU, name: name, details: "driver 1.2", memoryBytes: 3,
        freeMemoryBytes: 2, maxBufferBytes: 4096, alignment: 64, activationDTypes: 1,
        weightDTypes: 7)
    }
  }

  func open(
    device index: Int, options: PluginSettings
  ) throws(PluginError) -> any BackendDevice {
    if try options.value(of: Self.fails) {
      throw PluginError(ESP_IO, "as asked", nativeCode: -7)
    }
    let device = RecordingDevice(importsMemory: index == 0, options: options)
    Self.opened.withLock { $0[pthread_self()] = device }
    return device
  }

  /// The device that this thread opened last.
  static var lastOpened: RecordingDevice? { opened.withLock { $0[pthread_self()] } }

  private static let opened = Mutex<[pthread_t: RecordingDevice]>([:])
}

/// A device that counts.
// SAFETY: every test opens its own and uses it from one thread.
final class RecordingDevice: BackendDevice, @unchecked Sendable {
  let importsMemory: Bool
  let options: PluginSettings
  /// What was called and what went away, in order.
  var events: [String] = []
  var graph: BackendGraph?
  var plan: BackendPlan?
  /// Thrown by the next execution or wait.
  var failure: PluginError?
  var analysesToDrop = 0
  var usages: [BufferUsage] = []

  init(importsMemory: Bool, options: PluginSettings) {
    self.importsMemory = importsMemory
    self.options = options
  }

  func makeBuffer(
    byteCount: UInt64, usage: BufferUsage
  ) throws(PluginError) -> any BackendBuffer {
    usages.append(usage)
    return RecordingBuffer(Int(byteCount), on: self)
  }

  func importBuffer(
    _ memory: UnsafeRawBufferPointer
  ) throws(PluginError) -> any BackendBuffer {
    RecordingBuffer(memory.count, on: self, isReadOnly: true)
  }

  func analyze(_ graph: BackendGraph) throws(PluginError) -> [NodeAnalysis] {
    graph.nodes.dropLast(analysesToDrop).map { node in
      NodeAnalysis(
        objection: node.op == 99 ? "it is too hard" : nil,
        workspaceBytes: UInt64(node.integers[0]), inPlaceInputs: UInt32(node.integers[1]),
        copy: node.integers[2] == 0
          ? nil
          : CopyOffer(
            operand: node.integers[3], form: 7, byteCount: UInt64(node.integers[2]),
            savedNanoseconds: 20, makingNanoseconds: 30))
    }
  }

  func compile(
    _ graph: BackendGraph, _ plan: BackendPlan
  ) throws(PluginError) -> any BackendExecutable {
    self.graph = graph
    self.plan = plan
    return RecordingExecutable(on: self)
  }

  func wait() throws(PluginError) {
    events.append("wait")
    if let failure { throw failure }
  }

  var memory: (now: UInt64, peak: UInt64) { (5, 8) }

  func close() { events.append("close") }
}

/// Bytes of the test's own.
final class RecordingBuffer: BackendBuffer {
  let byteCount: UInt64
  let isReadOnly: Bool
  var bytes: [UInt8]
  private let device: RecordingDevice

  init(_ count: Int, on device: RecordingDevice, isReadOnly: Bool = false) {
    byteCount = UInt64(count)
    bytes = [UInt8](repeating: 0, count: count)
    self.isReadOnly = isReadOnly
    self.device = device
  }

  deinit { device.events.append("buffer gone") }

  func write(_ source: UnsafeRawBufferPointer, at offset: UInt64) throws(PluginError) {
    bytes.replaceSubrange(Int(offset)..<Int(offset) + source.count, with: source)
  }

  func read(
    into destination: UnsafeMutableRawBufferPointer, at offset: UInt64
  ) throws(PluginError) {
    destination.copyBytes(from: bytes[Int(offset)..<Int(offset) + destination.count])
  }
}

/// Remembers where it was told to find things.
final class RecordingExecutable: BackendExecutable {
  private let device: RecordingDevice

  init(on device: RecordingDevice) { self.device = device }

  deinit { device.events.append("executable gone") }

  func execute(_ places: [Place?], timer: NodeTimer?) throws(PluginError) {
    device.events.append(
      "execute "
        + places.map { $0.map { "\($0.offset)+\($0.byteCount)" } ?? "-" }.joined(separator: " "))
    timer?.record(node: 3, begin: 10, end: 20)
    if let failure = device.failure { throw failure }
  }
}
