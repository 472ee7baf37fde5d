import EspalierABI
import VulkanShaders

/// Filters w[O,C,kh,kw] as the products of a convolution read them: [O, kh·kw, C] in f32.
struct FilterPacking {
  let w: Operand
  let geometry: ConvolutionGeometry

  /// One tap in f32 already lies so.
  private var isNeeded: Bool { geometry.taps > 1 || w.dtype != ESP_DTYPE_F32 }

  /// Bytes at the front of the node's workspace, a multiple of 256.
  var workspaceBytes: UInt64 {
    isNeeded ? (UInt64(w.elementCount) * 4 + 255) / 256 * 256 : 0
  }

  /// Where the packed filters are.
  var region: Region {
    isNeeded
      ? Region(base: .workspace, offset: 0, byteCount: UInt64(w.elementCount) * 4) : w.region
  }

  /// The pass that packs them.
  func dispatches(on limits: DeviceLimits) -> [Dispatch] {
    guard isNeeded else { return [] }
    var push = PushConstants()
    push.read(w)
    push.write(region)
    push.uint(geometry.channels)
    push.uint(geometry.taps)
    push.uint(w.elementCount)
    return [
      Dispatch(
        ShaderVariant("pack_filters", ["ACT": 0, "WEIGHT": w.storageVariant]),
        covering: w.elementCount, push: push, work: region.byteCount, on: limits)
    ]
  }
}
