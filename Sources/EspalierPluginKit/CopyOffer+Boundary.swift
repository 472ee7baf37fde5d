import EspalierABI

extension UnsafeMutablePointer<esp_analysis> {
  /// The host's array for offers of copies; nil from a host before 1.3, and from one that keeps none.
  var copies: UnsafeMutablePointer<esp_copy_offer>? {
    reaches(\esp_analysis.node_copies, pointee.struct_size) ? pointee.node_copies : nil
  }
}

extension UnsafePointer<esp_memory_plan> {
  /// The copies that are kept; none from a host before 1.3.
  var copies: UnsafeBufferPointer<esp_copy> {
    guard reaches(\esp_memory_plan.copy_count, pointee.struct_size) else {
      return .init(start: nil, count: 0)
    }
    return UnsafeBufferPointer(
      start: pointee.copies, count: pointee.copies == nil ? 0 : pointee.copy_count)
  }
}

/// The header's `ESP_HAS`: true if the field, of eight bytes, lies inside what the other side filled.
private func reaches<Structure>(_ field: PartialKeyPath<Structure>, _ size: UInt32) -> Bool {
  guard let offset = MemoryLayout<Structure>.offset(of: field) else { return false }
  return Int(size) >= offset + MemoryLayout<UInt64>.size
}

extension esp_copy_offer {
  /// - Throws: `PluginError` if the offer is not for a constant weight of the node.
  init(_ offer: CopyOffer, of node: GraphNode, in graph: BackendGraph) throws(PluginError) {
    guard node.inputs.indices.contains(offer.operand), let tensor = node.inputs[offer.operand],
      graph.tensors[tensor].role == ESP_ROLE_WEIGHT
    else {
      throw PluginError(
        ESP_INTERNAL,
        "\(node.label) offers a copy of its input \(offer.operand), which is no constant weight")
    }
    self.init(
      tensor: Int32(tensor), form: offer.form, bytes: offer.byteCount,
      saved_ns: offer.savedNanoseconds, making_ns: offer.makingNanoseconds)
  }
}
