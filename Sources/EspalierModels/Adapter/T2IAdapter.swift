public import EspalierCheckpoints
public import EspalierGraph

/// The T2I-Adapter: turns a control image into feature maps that are added inside a U-Net.
///
/// Checkpoint keys: `adapter.conv_in` (not in light adapters), `adapter.body.S` with one stage per
/// feature map.
/// Source: Diffusers `models/adapter.py`, `T2IAdapter`; Mou et al. 2023.
public struct T2IAdapter: ControlAdapter {
  public static let className = "T2IAdapter"
  public let configuration: T2IAdapterConfiguration
  private let convIn: Conv2d?
  private let body: [(Value) -> Value]
  private let path: String

  public init(_ scope: Scope, _ configuration: T2IAdapterConfiguration) {
    let scope = scope["adapter"]
    let factor = configuration.downscaleFactor
    self.configuration = configuration
    path = scope.path
    convIn =
      configuration.adapterType == .light
      ? nil
      : Conv2d(
        scope["conv_in"], inChannels: configuration.inChannels * factor * factor,
        outChannels: configuration.channels[0], kernel: 3, padding: Padding2D(1))
    body = configuration.stages.enumerated().map { index, stage in
      let block = scope["body"][index]
      return configuration.adapterType == .light
        ? LightAdapterBlock(block, stage, numResBlocks: configuration.numResBlocks).callAsFunction
        : AdapterBlock(block, stage, numResBlocks: configuration.numResBlocks).callAsFunction
    }
  }

  /// - Parameter image: Control image `[B, H, W, inChannels]` in 0…1, sides multiples of
  ///   `downscaleFactor`.
  /// - Returns: One feature map per stage, of the shapes that `featureShapes` tells, unscaled.
  public func features(of image: Value) -> [Value] {
    let pixels = image.pixelUnshuffled(factor: configuration.downscaleFactor, path: path)
    var h = convIn?(pixels) ?? pixels
    return body.map { block in
      h = block(h)
      return h
    }
  }
}

extension T2IAdapterConfiguration {
  /// Besides Diffusers' keys the authors' own: no `adapter.`, the blocks of all stages in one list.
  ///
  /// Source: https://github.com/TencentARC/T2I-Adapter, `adapter.py`; the same tensors under other
  /// names.
  public var keyMap: KeyMap {
    var groups: [[String]] = []
    if adapterType == .light {
      for stage in stages.indices {
        let (ours, theirs) = ("adapter.body.\(stage).", "body.\(stage).")
        groups += (0..<numResBlocks).map { ["\(ours)resnets.\($0).", "\(theirs)body.\($0)."] }
        groups += ["in_conv.", "out_conv."].map { [ours + $0, theirs + $0] }
      }
    } else {
      groups.append(["adapter.conv_in.", "conv_in."])
      for stage in stages.indices {
        let (ours, first) = ("adapter.body.\(stage).", stage * numResBlocks)
        groups += (0..<numResBlocks).map { ["\(ours)resnets.\($0).", "body.\(first + $0)."] }
        groups.append(["\(ours)in_conv.", "body.\(first).in_conv."])
      }
    }
    return KeyMap(prefixAlternatives: groups)
  }

  /// The authors' name of a parameter.
  ///
  /// - Parameter key: Diffusers' name.
  public func originalName(of key: String) -> String { keyMap.spellings(of: key).last ?? key }
}
