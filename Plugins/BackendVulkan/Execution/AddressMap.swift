import EspalierPluginKit

/// Where every tensor and every node's scratch starts in the device's memory.
struct AddressMap: Equatable {
  /// By tensor; 0 where it has no place.
  private var tensors: [UInt64]
  /// By node; 0 where it has no scratch.
  private let workspaces: [UInt64]

  init(_ plan: BackendPlan) {
    tensors = plan.tensors.map { $0?.address ?? 0 }
    workspaces = plan.workspaces.map { $0?.address ?? 0 }
  }

  /// Takes over the places of an execution's bindings.
  mutating func bind(_ places: [Place?]) {
    for (tensor, place) in places.enumerated() {
      if let place { tensors[tensor] = place.address }
    }
  }

  /// The bytes of a region, as a node sees it.
  func range(of region: Region, node: Int) -> Range<UInt64> {
    let base =
      switch region.base {
      case .tensor(let tensor): tensors[tensor]
      case .workspace: workspaces[node]
      }
    return base + region.offset..<base + region.offset + region.byteCount
  }
}

extension Place {
  /// The device address of its first byte.
  fileprivate var address: UInt64 {
    // The kit hands back only buffers that this library made.
    unsafeDowncast(buffer as AnyObject, to: VulkanBuffer.self).address + offset
  }
}
