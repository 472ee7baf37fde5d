import CVulkanDriver
import EspalierPluginKit

/// Where something starts in the device's memory.
struct Spot: Equatable {
  let address: UInt64
  /// The texel buffer over its block, where the device has them.
  let texels: VkBufferView?
  /// In bytes from the block's start.
  let blockOffset: UInt64

  /// The block's number, never used again: a later block may have the same address.
  let block: Int

  /// No place.
  static var none: Spot { Spot(address: 0, texels: nil, blockOffset: 0, block: 0) }
}

/// Where every tensor and every node's scratch starts.
struct AddressMap: Equatable {
  private var tensors: [Spot]
  private let workspaces: [Spot]

  init(_ plan: BackendPlan) {
    tensors = plan.tensors.map { $0?.spot ?? .none }
    workspaces = plan.workspaces.map { $0?.spot ?? .none }
  }

  /// Takes over the places of an execution's bindings.
  ///
  /// - Throws: `ESP_INVALID_ARGUMENT` for one that vector loads could not read.
  mutating func bind(_ places: [Place?]) throws(PluginError) {
    for (tensor, place) in places.enumerated() {
      guard let spot = place?.spot else { continue }
      guard spot.address % 16 == 0 else {
        throw .invalidArgument(
          "vulkan: tensor \(tensor) is bound at an offset that is no multiple of 16 bytes")
      }
      tensors[tensor] = spot
    }
  }

  /// The start of a region, as a node sees it.
  func spot(of region: Region, node: Int) -> Spot {
    let base =
      switch region.base {
      case .tensor(let tensor): tensors[tensor]
      case .workspace: workspaces[node]
      }
    return Spot(
      address: base.address + region.offset, texels: base.texels,
      blockOffset: base.blockOffset + region.offset, block: base.block)
  }

  /// The addresses of a region's bytes.
  func range(of region: Region, node: Int) -> Range<UInt64> {
    let start = spot(of: region, node: node).address
    return start..<start + region.byteCount
  }
}

extension Place {
  fileprivate var spot: Spot {
    // The kit hands back only buffers that this library made.
    unsafeDowncast(buffer as AnyObject, to: VulkanBuffer.self).spot(at: offset)
  }
}
