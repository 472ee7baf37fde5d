import ArgumentParser

/// Flags of the reference script that have no meaning here; each says so once.
struct TrainInertOptions: ParsableArguments {
  @Option(help: .hidden) var revision: String?
  @Option(name: .customLong("tokenizer_name"), help: .hidden) var tokenizerName: String?
  @Option(name: .customLong("detection_resolution"), help: .hidden) var detectionResolution: Int?
  @Option(name: .customLong("dataset_config_name"), help: .hidden) var datasetConfigName: String?
  @Option(name: .customLong("hub_token"), help: .hidden) var hubToken: String?
  @Option(name: .customLong("hub_model_id"), help: .hidden) var hubModelID: String?
  @Flag(name: .customLong("push_to_hub"), help: .hidden) var pushToHub = false
  @Flag(name: .customLong("use_8bit_adam"), help: .hidden) var use8BitAdam = false
  @Flag(name: .customLong("allow_tf32"), help: .hidden) var allowTF32 = false
  @Flag(name: .customLong("set_grads_to_none"), help: .hidden) var setGradsToNone = false
  @Flag(name: .customLong("enable_xformers_memory_efficient_attention"), help: .hidden)
  var enableXFormers = false

  /// One line for each flag that was given.
  var notices: [String] {
    let given: [(isGiven: Bool, flag: String, reason: String)] = [
      (revision != nil, "--revision", "models are folders here; nothing is downloaded"),
      (tokenizerName != nil, "--tokenizer_name", "the base model's tokenizers are used"),
      (detectionResolution != nil, "--detection_resolution", "the reference never reads it either"),
      (datasetConfigName != nil, "--dataset_config_name", "data sets are folders here"),
      (
        hubToken != nil, "--hub_token",
        "nothing is uploaded; and a token on a command line can be read by others on this machine"
      ),
      (hubModelID != nil, "--hub_model_id", "nothing is uploaded"),
      (pushToHub, "--push_to_hub", "nothing is uploaded; the output folder is ready to be"),
      (use8BitAdam, "--use_8bit_adam", "the moments are kept in f32"),
      (allowTF32, "--allow_tf32", "products are computed in f32"),
      (setGradsToNone, "--set_grads_to_none", "gradients are never kept beyond a step"),
      (
        enableXFormers, "--enable_xformers_memory_efficient_attention",
        "attention never stores its scores anyway"
      ),
    ]
    return given.filter(\.isGiven).map { "\($0.flag) has no effect here: \($0.reason)" }
  }
}
