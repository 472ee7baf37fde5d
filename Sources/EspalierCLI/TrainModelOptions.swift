import ArgumentParser
import Espalier

/// Which models a training run starts from.
struct TrainModelOptions: ParsableArguments {
  @Option(
    name: .customLong("pretrained_model_name_or_path"),
    help:
      "The base model: a Stable Diffusion XL folder in Diffusers' layout, or a .safetensors file.")
  var pretrainedModelNameOrPath: String

  @Option(
    name: .customLong("pretrained_vae_model_name_or_path"),
    help: "Another VAE: its folder or file, or a model folder with vae/ in it.")
  var pretrainedVAEModelNameOrPath: String?

  @Option(
    name: .customLong("adapter_model_name_or_path"),
    help: "An adapter to go on with, a folder or file; without it a fresh full_adapter_xl is made.")
  var adapterModelNameOrPath: String?

  @Option(
    name: .customLong("adapter_in_channels"),
    help: "Channels of the control images of a fresh adapter, 1 or 3. (This program's own.)")
  var adapterInChannels = 3

  @Option(help: "Which weight files to take, such as fp16.")
  var variant: String?

  func apply(to configuration: inout TrainingConfiguration) {
    configuration.pretrainedModelNameOrPath = pretrainedModelNameOrPath
    configuration.pretrainedVAEModelNameOrPath = pretrainedVAEModelNameOrPath
    configuration.adapterModelNameOrPath = adapterModelNameOrPath
    configuration.adapterInChannels = adapterInChannels
    configuration.variant = variant
  }
}
