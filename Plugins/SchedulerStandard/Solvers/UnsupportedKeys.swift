import EspalierPluginKit

/// Keys of Diffusers' schedulers whose effect this library does not have; their neutral value is read past.
extension PluginSettings {
  func refuseThresholding() throws(PluginError) {
    guard try !bool("thresholding", default: false) else {
      throw refuse("thresholding", "true", "false; it does not suit latents")
    }
  }

  /// The keys for models of flow matching, which SDXL is not.
  func refuseFlow() throws(PluginError) {
    for key in ["use_flow_sigmas", "use_dynamic_shifting"] {
      guard try !bool(key, default: false) else {
        throw refuse(key, "true", "false; it is for models of flow matching, which SDXL is not")
      }
    }
  }

  /// A model that predicts the variance, too, has twice the channels of SDXL's.
  func refuseLearnedVariance() throws(PluginError) {
    if let type = try optionalString("variance_type") {
      throw refuse("variance_type", "\"\(type)\"", "null; SDXL predicts no variance")
    }
  }

  /// The value of an option, or its default for a word that only another class's option knows.
  ///
  /// So a configuration of another class serves, as in Diffusers: `solver_type` of UniPC in DPM-Solver.
  func value<Value>(
    of option: PluginOption<Value>, unless foreign: Set<String>
  ) throws(PluginError) -> Value {
    if let text = try? optionalString(option.description.name), foreign.contains(text) {
      return option.defaultValue
    }
    return try value(of: option)
  }
}
