import EspalierABI

extension DeviceLimits {
  /// Whether a shader reads these operands through `Include/sources.glsl` by texel fetches; its definition
  /// FETCH. They must be tensors that the same dispatch does not write, read by fours.
  func fetches(_ operands: [Operand], byFours: Bool) -> Bool {
    hasTexelFetch && byFours && operands.allSatisfy { $0.dtype == ESP_DTYPE_F32 }
  }

  /// Invocations of a workgroup that adds up: few on a CPU, where every one waits at a barrier by itself.
  var reductionGroupSize: Int { groupSize(isSoftware ? 64 : 256) }

  /// Workgroups that keep the whole device busy.
  var workgroupTarget: Int { isSoftware ? 64 : 1024 }

  /// The definition SUBGROUP of `Include/reduce.glsl`.
  var subgroupVariant: Int { hasSubgroupOperations ? 1 : 0 }
}

extension PushConstants {
  /// An operand that the shader declares as `Source`.
  mutating func source(_ region: Region, isFetched: Bool) {
    if isFetched { fetch(region) } else { read(region) }
  }
}
