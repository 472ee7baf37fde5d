import EspalierABI
import EspalierPluginKit
import Synchronization

/// Messages of the Khronos validation layers.
///
/// With `ESPALIER_VULKAN_VALIDATION=1` in the environment the layers are on, and the first message makes the
/// next call fail: tests cannot overlook it.
enum Validation {
  private static let messages = Mutex<[String]>([])

  /// Keeps a message that a layer sent, from any thread.
  static func record(_ message: String) {
    messages.withLock { $0.append(message) }
  }

  /// Throws the messages since the last call, if any.
  static func check() throws(PluginError) {
    let found = messages.withLock { messages in
      defer { messages = [] }
      return messages
    }
    guard let first = found.first else { return }
    let more = found.count > 1 ? " (and \(found.count - 1) more)" : ""
    throw PluginError(ESP_INTERNAL, "vulkan: validation: \(first)\(more)")
  }
}
