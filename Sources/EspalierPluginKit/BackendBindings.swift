import EspalierABI

/// The tensors of a graph that every execution binds anew.
struct BackendBindings {
  /// By tensor: what a binding has to hold; nil for a tensor that takes none.
  private let slots: [Slot?]
  /// The tensors that have a slot.
  private let required: [Int]
  /// By tensor: where it is in this execution, an alias in its root's place.
  private(set) var places: [Place?]

  private struct Slot {
    let byteCount: UInt64
    let elementByteCount: UInt64
    let isWritten: Bool
    /// Tensors that share its memory.
    let aliases: [Int]
  }

  init(_ graph: BackendGraph) {
    var aliases: [Int: [Int]] = [:]
    for (index, tensor) in graph.tensors.enumerated() where tensor.root != index {
      aliases[tensor.root, default: []].append(index)
    }
    slots = graph.tensors.enumerated().map { index, tensor in
      switch tensor.role {
      case ESP_ROLE_INPUT, ESP_ROLE_STATE, ESP_ROLE_OUTPUT:
        guard tensor.root == index else { return nil }
        let shared = aliases[index] ?? []
        return Slot(
          byteCount: tensor.byteCount, elementByteCount: tensor.elementByteCount,
          isWritten: tensor.role == ESP_ROLE_OUTPUT || !shared.isEmpty, aliases: shared)
      default: return nil
      }
    }
    required = slots.indices.filter { [slots] in slots[$0] != nil }
    places = Array(repeating: nil, count: slots.count)
  }

  /// Places every tensor of the list.
  ///
  /// - Throws: `PluginError` unless every tensor that needs a binding has exactly one that fits.
  mutating func bind(
    _ bindings: UnsafeBufferPointer<esp_binding>, on device: DeviceBox
  ) throws(PluginError) {
    for binding in bindings { try bind(binding, on: device) }
    guard bindings.count != required.count else { return }
    for tensor in required where places[tensor] == nil {
      throw .invalidArgument("tensor \(tensor) is not bound")
    }
  }

  /// Lets go of the buffers.
  mutating func clear() {
    for tensor in required where places[tensor] != nil {
      places[tensor] = nil
      for alias in slots[tensor]?.aliases ?? [] { places[alias] = nil }
    }
  }

  private mutating func bind(_ binding: esp_binding, on device: DeviceBox) throws(PluginError) {
    let tensor = Int(binding.tensor)
    guard slots.indices.contains(tensor) else {
      throw .invalidArgument("a binding names tensor \(tensor) of \(slots.count)")
    }
    guard let slot = slots[tensor] else {
      throw .invalidArgument("tensor \(tensor) takes no binding")
    }
    guard places[tensor] == nil else {
      throw .invalidArgument("tensor \(tensor) is bound twice")
    }
    let buffer = try device.buffer(binding.buffer, "the buffer of tensor \(tensor)")
    guard buffer.holds(slot.byteCount, at: binding.offset) else {
      throw .invalidArgument(
        "tensor \(tensor) needs \(slot.byteCount) bytes at \(binding.offset), "
          + "its buffer has \(buffer.byteCount)")
    }
    guard !(slot.isWritten && buffer.isReadOnly) else {
      throw .invalidArgument("tensor \(tensor) is written, its buffer is read-only")
    }
    guard buffer.isAligned(to: slot.elementByteCount, at: binding.offset) else {
      throw .invalidArgument("tensor \(tensor) is not aligned to its elements")
    }
    let place = try buffer.place(at: binding.offset, byteCount: slot.byteCount)
    places[tensor] = place
    for alias in slot.aliases { places[alias] = place }
  }
}
