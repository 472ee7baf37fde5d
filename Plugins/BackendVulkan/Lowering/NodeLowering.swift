import EspalierABI
import EspalierPluginKit

/// A node with the lowering that runs it.
struct NodeLowering {
  let view: NodeView
  private let lowering: (any Lowering)?

  init(_ node: GraphNode, of graph: BackendGraph) {
    view = NodeView(node, of: graph)
    lowering = LoweringTable.all[node.op]
  }

  func analysis(on limits: DeviceLimits) -> NodeAnalysis {
    guard let lowering else {
      return NodeAnalysis(objection: "operation \(view.op) is unknown")
    }
    if let reason = sizeObjection ?? lowering.objection(to: view, on: limits) {
      return NodeAnalysis(objection: reason)
    }
    return NodeAnalysis(
      workspaceBytes: lowering.workspaceBytes(of: view, on: limits),
      inPlaceInputs: lowering.inPlaceInputs(of: view))
  }

  /// The dispatches of a node without objection.
  func dispatches(on limits: DeviceLimits) -> [Dispatch] {
    lowering?.dispatches(for: view, on: limits) ?? []
  }

  /// Shaders count elements in 32 bits, and drivers extend an index as a signed number.
  private var sizeObjection: String? {
    let largest = (view.inputs + view.outputs).compactMap { $0?.elementCount }.max() ?? 0
    return largest > Int(Int32.max)
      ? "an operand has \(largest) elements; at most \(Int32.max) can be addressed" : nil
  }
}
