public import EspalierCheckpoints
public import EspalierTensors

/// The keys of a T2I-Adapter's `config.json`.
///
/// Source: Diffusers `models/adapter.py`, `T2IAdapter`, whose defaults apply to absent keys.
public struct T2IAdapterConfiguration: ControlAdapterConfiguration, Hashable {
  /// The three published architectures.
  public enum AdapterType: String, Hashable, Sendable, CaseIterable {
    /// Halves at every stage but the first; made for Stable Diffusion 1.
    case full = "full_adapter"
    /// Halves at the third stage only; made for SDXL.
    case fullXL = "full_adapter_xl"
    /// Halves at every stage but the first, at a quarter of the width inside.
    case light = "light_adapter"
  }

  public let adapterType: AdapterType
  public let inChannels: Int
  /// Channels of each stage.
  public let channels: [Int]
  /// Residual blocks of each stage.
  public let numResBlocks: Int
  public let downscaleFactor: Int

  /// A fresh adapter for SDXL, as the reference training script makes it.
  public static let sdxl = T2IAdapterConfiguration(
    adapterType: .fullXL, inChannels: 3, channels: [320, 640, 1280, 1280], numResBlocks: 2,
    downscaleFactor: 16)

  public init(
    adapterType: AdapterType, inChannels: Int, channels: [Int], numResBlocks: Int,
    downscaleFactor: Int
  ) {
    self.adapterType = adapterType
    self.inChannels = inChannels
    self.channels = channels
    self.numResBlocks = numResBlocks
    self.downscaleFactor = downscaleFactor
  }

  public init(_ json: JSONObject) throws(CheckpointError) {
    let name = try json.optionalString("adapter_type") ?? AdapterType.full.rawValue
    guard let type = AdapterType(rawValue: name) else {
      let known = AdapterType.allCases.map(\.rawValue).joined(separator: ", ")
      throw json.refused("adapter_type", expected: "one of \(known)")
    }
    adapterType = type
    inChannels = try json.size("in_channels", default: 3, in: 1...64)
    channels = try json.sizes("channels", default: [320, 640, 1280, 1280])
    numResBlocks = try json.size("num_res_blocks", default: 2, in: 1...1000)
    downscaleFactor = try json.size("downscale_factor", default: 8, in: 1...256)
    if channels.count > 8 { throw json.refused("channels", expected: "at most 8 stages") }
    if type == .light && !channels.allSatisfy({ $0 >= 4 }) {
      throw json.refused("channels", expected: "at least 4 each for a light_adapter")
    }
    if let wrong = stages.firstIndex(where: { $0.inChannels != $0.expectedInChannels }) {
      throw json.refused(
        "channels", expected: "channels[\(wrong)] equal to channels[\(wrong - 1)] for a \(name)")
    }
  }

  /// How a stage is built.
  struct Stage {
    /// What the reference builds the stage for.
    let inChannels: Int
    /// What the stage before gives.
    let expectedInChannels: Int
    let outChannels: Int
    let halves: Bool
  }

  /// The stages, outermost first. Each gives one feature map.
  var stages: [Stage] {
    let unshuffled = inChannels * downscaleFactor * downscaleFactor
    switch adapterType {
    case .full:
      return channels.indices.map { i in
        let input = channels[max(i - 1, 0)]
        return Stage(
          inChannels: input, expectedInChannels: input, outChannels: channels[i], halves: i > 0)
      }
    case .fullXL:
      return channels.indices.map { i in
        let previous = channels[max(i - 1, 0)]
        return Stage(
          inChannels: i == 1 || i == 2 ? previous : channels[i], expectedInChannels: previous,
          outChannels: channels[i], halves: i == 2)
      }
    case .light:
      // One stage more than channels: the last repeats its width.
      return (0...channels.count).map { i in
        let input = i == 0 ? unshuffled : channels[i - 1]
        return Stage(
          inChannels: input, expectedInChannels: input,
          outChannels: channels[min(i, channels.count - 1)], halves: i > 0)
      }
    }
  }

  public var totalDownscaleFactor: Int {
    // The reference states 2 for the XL type whatever the number of stages.
    adapterType == .fullXL
      ? 2 * downscaleFactor : downscaleFactor << stages.count(where: \.halves)
  }

  public func featureShapes(batch: Int, height: Int, width: Int) -> [Shape] {
    var (height, width) = (height / downscaleFactor, width / downscaleFactor)
    return stages.map { stage in
      if stage.halves { (height, width) = ((height + 1) / 2, (width + 1) / 2) }
      return [batch, height, width, stage.outChannels]
    }
  }

  public var json: JSONValue {
    .object([
      "_class_name": .string(T2IAdapter.className),
      // The version of Diffusers that the goldens come from.
      "_diffusers_version": .string("0.42.1"),
      "adapter_type": .string(adapterType.rawValue),
      "channels": .array(channels.map { .number($0) }),
      "downscale_factor": .number(downscaleFactor),
      "in_channels": .number(inChannels),
      "num_res_blocks": .number(numResBlocks),
    ])
  }
}
