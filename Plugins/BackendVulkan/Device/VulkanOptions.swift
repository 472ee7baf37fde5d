import EspalierPluginKit

/// The settings of `device_open`; both exist so that tests reach what a real GPU would run.
struct VulkanOptions {
  /// `staging=always`: copies through staging memory even where the host sees the device's memory.
  private(set) var alwaysStages = false
  /// `kernels=gpu`: runs the shaders for GPUs on a CPU driver too.
  private(set) var usesGPUKernels = false

  /// - Throws: `ESP_INVALID_ARGUMENT` for a setting or value that does not exist.
  init(_ options: [String: String]) throws(PluginError) {
    for (name, value) in options.sorted(by: { $0.key < $1.key }) {
      switch name {
      case "staging": alwaysStages = try Self.choice(name, value, ["auto", "always"])
      case "kernels": usesGPUKernels = try Self.choice(name, value, ["auto", "gpu"])
      default:
        throw .invalidArgument(
          "vulkan: there is no option \(name); the options are kernels and staging")
      }
    }
  }

  /// True for the second of two values.
  private static func choice(
    _ name: String, _ value: String, _ allowed: [String]
  ) throws(PluginError) -> Bool {
    guard let index = allowed.firstIndex(of: value) else {
      throw .invalidArgument(
        "vulkan: option \(name) is \(value); allowed: \(allowed.joined(separator: ", "))")
    }
    return index == 1
  }
}
