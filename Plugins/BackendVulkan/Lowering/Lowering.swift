/// How an operation of the boundary runs as compute shaders.
///
/// A lowering is stateless. The kit has checked indices and sizes of the graph, not whether shapes fit the
/// operation: `objection` does that, and the other functions are called for nodes without objection only.
protocol Lowering: Sendable {
  /// Why the node cannot run on a device with these limits (wrong shapes, types, ranks), or nil.
  func objection(to node: NodeView, on limits: DeviceLimits) -> String?

  /// Bit k: output 0 may take input k's place, as each element is read before its own is written.
  func inPlaceInputs(of node: NodeView) -> UInt32

  /// Scratch bytes that the node needs while it runs.
  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64

  /// The dispatches of the node, in order. A dispatch sees what earlier ones wrote; barriers are inserted
  /// where regions overlap.
  func dispatches(for node: NodeView, on limits: DeviceLimits) -> [Dispatch]
}

extension Lowering {
  func inPlaceInputs(of node: NodeView) -> UInt32 { 0 }
  func workspaceBytes(of node: NodeView, on limits: DeviceLimits) -> UInt64 { 0 }
}
