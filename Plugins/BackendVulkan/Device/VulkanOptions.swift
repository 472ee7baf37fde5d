import EspalierPluginKit

/// The settings of `device_open`; both exist so that tests reach what a real GPU would run.
struct VulkanOptions {
  /// Copies through staging memory even where the host sees the device's memory.
  let alwaysStages: Bool
  /// Runs the shaders for GPUs on a CPU driver too.
  let usesGPUKernels: Bool

  static let described: [any DescribedOption] = [kernels, staging]

  private enum Kernels: String, CaseIterable {
    case auto, gpu
  }

  private enum Staging: String, CaseIterable {
    case auto, always
  }

  private static let kernels = PluginOption.choice(
    "kernels", default: Kernels.auto,
    "gpu: the shaders for GPUs also on a CPU driver, for tests")
  private static let staging = PluginOption.choice(
    "staging", default: Staging.auto,
    "always: copies go through staging memory even where the host sees the device's, for tests")

  /// - Throws: `ESP_INVALID_ARGUMENT` for a value that does not exist.
  init(_ options: PluginSettings) throws(PluginError) {
    usesGPUKernels = try options.value(of: Self.kernels) == .gpu
    alwaysStages = try options.value(of: Self.staging) == .always
  }
}
