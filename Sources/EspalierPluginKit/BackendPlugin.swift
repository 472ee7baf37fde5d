/// A compute backend as a plugin writes it; `PluginRegistration.backend` offers it to the host.
///
/// The kit has checked that the user's options are among those of `options`, of their kinds.
public protocol BackendPlugin: Plugin, Sendable {
  /// Makes the one object of the backend, when the host first asks for its devices.
  init()

  /// True if some device may use the host's memory in place; the others get a copy.
  static var importsMemory: Bool { get }

  /// The devices that this machine has now; empty if there is none.
  func devices() throws(PluginError) -> [BackendDeviceDescription]

  /// Opens the device with this index in `devices()`.
  func open(device index: Int, options: PluginSettings) throws(PluginError) -> any BackendDevice
}

extension BackendPlugin {
  public static var importsMemory: Bool { false }
}

/// An open device. The kit has checked every graph, plan, range and binding before it asks.
///
/// Calls on one object never overlap; calls on a device, its buffers and its executables may.
public protocol BackendDevice: AnyObject {
  /// New memory; its contents are undefined.
  func makeBuffer(byteCount: UInt64, usage: BufferUsage) throws(PluginError) -> any BackendBuffer

  /// True if `importBuffer` works; the host then lends mapped files instead of copying them.
  var importsMemory: Bool { get }

  /// A read-only buffer over the host's memory, which outlives it.
  func importBuffer(_ memory: UnsafeRawBufferPointer) throws(PluginError) -> any BackendBuffer

  /// For every node whether it can run here, with how much scratch, where its output may stand, and which copy of a
  /// weight would help it.
  func analyze(_ graph: BackendGraph) throws(PluginError) -> [NodeAnalysis]

  /// Prepares a graph whose every node can run and whose every temporary, scratch and weight has its place,
  /// a weight aligned to its elements; fills the copies of weights that are kept.
  func compile(
    _ graph: BackendGraph, _ plan: BackendPlan
  ) throws(PluginError) -> any BackendExecutable

  /// Waits for all work in flight; throws the first error of it.
  func wait() throws(PluginError)

  /// Bytes that the device holds now and held at most.
  var memory: (now: UInt64, peak: UInt64) { get }

  /// Frees everything. The kit has waited and let go of all buffers and executables; nothing is called
  /// afterwards.
  func close()
}

extension BackendDevice {
  public var importsMemory: Bool { false }

  public func importBuffer(
    _ memory: UnsafeRawBufferPointer
  ) throws(PluginError) -> any BackendBuffer {
    throw .unimplemented("this device does not import the host's memory")
  }
}

/// Memory of a device; freed with its last reference.
public protocol BackendBuffer: AnyObject {
  var byteCount: UInt64 { get }

  /// True if nothing may be written to it.
  var isReadOnly: Bool { get }

  /// Copies into the buffer; the source may be reused when this returns.
  func write(_ source: UnsafeRawBufferPointer, at offset: UInt64) throws(PluginError)

  /// Waits for the device and copies out of the buffer.
  func read(into destination: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(PluginError)
}

/// A compiled graph. The kit keeps the buffers of its plan as long as it lives, those of an execution until
/// `execute` returns: who works on after that keeps what it needs.
public protocol BackendExecutable: AnyObject {
  /// Runs all nodes; may return before the work is done.
  ///
  /// - Parameters:
  ///   - places: By tensor, where every input, state and output is; an alias has its root's place.
  ///     Everything else is nil.
  ///   - timer: Where to report each node's times, or nil.
  func execute(_ places: [Place?], timer: NodeTimer?) throws(PluginError)
}

/// What a buffer is for; the values are those of the header.
public enum BufferUsage: Int32, Sendable {
  case weight = 0
  case arena, state, inputOutput
}

/// What a device is and offers.
public struct BackendDeviceDescription: Sendable {
  /// `ESP_DEVICE_…`.
  public var deviceClass: Int32
  public var name: String
  /// One line for people: driver and version, what it can do.
  public var details: String
  /// In all and free now; 0 unknown.
  public var memoryBytes: UInt64
  public var freeMemoryBytes: UInt64
  /// One buffer, and one tensor.
  public var maxBufferBytes: UInt64
  /// Of a tensor inside a buffer, in bytes.
  public var alignment: UInt64
  /// Bit `ESP_DTYPE_…`: how activations may be stored.
  public var activationDTypes: UInt32
  /// Bit `ESP_DTYPE_…`: how weights may be stored.
  public var weightDTypes: UInt32

  public init(
    deviceClass: Int32, name: String, details: String, memoryBytes: UInt64,
    freeMemoryBytes: UInt64, maxBufferBytes: UInt64, alignment: UInt64, activationDTypes: UInt32,
    weightDTypes: UInt32
  ) {
    self.deviceClass = deviceClass
    self.name = name
    self.details = details
    self.memoryBytes = memoryBytes
    self.freeMemoryBytes = freeMemoryBytes
    self.maxBufferBytes = maxBufferBytes
    self.alignment = alignment
    self.activationDTypes = activationDTypes
    self.weightDTypes = weightDTypes
  }
}

/// What a backend says about one node.
public struct NodeAnalysis: Sendable {
  /// Why the node cannot run here; nil if it can.
  public var objection: String?
  /// Scratch bytes that it needs while it runs.
  public var workspaceBytes: UInt64
  /// Bit k: output 0 may take input k's place.
  public var inPlaceInputs: UInt32
  /// A copy of a constant weight that would spare the node some of its work.
  public var copy: CopyOffer?

  public init(
    objection: String? = nil, workspaceBytes: UInt64 = 0, inPlaceInputs: UInt32 = 0,
    copy: CopyOffer? = nil
  ) {
    self.objection = objection
    self.workspaceBytes = workspaceBytes
    self.inPlaceInputs = inPlaceInputs
    self.copy = copy
  }
}

/// A copy of a constant weight in the form in which a node computes with it, packed or transformed.
///
/// The host keeps it if it has the memory for it; the results must be the same bits with it and without.
public struct CopyOffer: Sendable {
  /// The weight among the node's inputs.
  public var operand: Int
  /// Copies of one weight with the same form and size are the same, also between graphs.
  public var form: UInt32
  public var byteCount: UInt64
  /// Estimates: what each execution saves with it, and what making it takes.
  public var savedNanoseconds, makingNanoseconds: UInt64

  public init(
    operand: Int, form: UInt32, byteCount: UInt64, savedNanoseconds: UInt64,
    makingNanoseconds: UInt64
  ) {
    self.operand = operand
    self.form = form
    self.byteCount = byteCount
    self.savedNanoseconds = savedNanoseconds
    self.makingNanoseconds = makingNanoseconds
  }
}

/// Takes the times of nodes during one execution.
public struct NodeTimer {
  let context: UnsafeMutableRawPointer?
  let callback: @convention(c) (UnsafeMutableRawPointer?, Int32, UInt64, UInt64) -> Void

  /// - Parameters:
  ///   - node: The node that ran.
  ///   - begin: Nanoseconds since an arbitrary start, the same for all nodes.
  ///   - end: Nanoseconds since the same start.
  public func record(node: Int, begin: UInt64, end: UInt64) {
    callback(context, Int32(clamping: node), begin, end)
  }
}
