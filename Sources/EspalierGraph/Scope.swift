public import EspalierTensors

/// A place in the tree of checkpoint keys; `scope["conv1"]` goes one step down.
///
/// The path is the component's name, a dot, and Diffusers' key, never renamed:
/// `unet.down_blocks.1.resnets.0.conv1`.
public struct Scope {
  public let graph: GraphBuilder
  public let path: String

  public subscript(_ name: String) -> Scope { Scope(graph: graph, path: path + "." + name) }
  public subscript(_ index: Int) -> Scope { self["\(index)"] }

  /// Declares a parameter of this layer, such as `weight`; nothing is allocated.
  public func parameter(_ name: String, _ shape: Shape) -> Value {
    graph.parameter(path + "." + name, shape)
  }
}
