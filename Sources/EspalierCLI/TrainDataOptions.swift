import ArgumentParser
import Espalier

/// Where the training images come from and how they are prepared.
struct TrainDataOptions: ParsableArguments {
  @Option(
    name: .customLong("train_data_dir"),
    help: "A folder of images with metadata.jsonl, metadata.csv or prompt.json.")
  var trainDataDir: String?

  @Option(
    name: .customLong("dataset_name"),
    help: "A data set by name; taken as a folder, since nothing is downloaded.")
  var datasetName: String?

  @Option(name: .customLong("image_column"), help: "The column of the target image.")
  var imageColumn = "image"

  @Option(
    name: .customLong("conditioning_image_column"), help: "The column of the control image.")
  var conditioningImageColumn = "conditioning_image"

  @Option(name: .customLong("caption_column"), help: "The column of the caption or captions.")
  var captionColumn = "text"

  @Option(
    name: .customLong("max_train_samples"), help: "Train on at most this many samples.")
  var maxTrainSamples: Int?

  @Option(
    name: .customLong("proportion_empty_prompts"),
    help: "The share of captions that is dropped, 0 to 1.")
  var proportionEmptyPrompts = 0.0

  @Option(help: "The side of the training images in pixels, a multiple of 16.")
  var resolution = 1024

  @Option(
    name: .customLong("crops_coords_top_left_h"),
    help: "Crop top told to the UNet; by default the image's own.")
  var cropsCoordsTopLeftH = 0

  @Option(
    name: .customLong("crops_coords_top_left_w"),
    help: "Crop left told to the UNet; by default the image's own.")
  var cropsCoordsTopLeftW = 0

  @Option(
    name: .customLong("dataloader_num_workers"), help: "Threads that decode images.")
  var dataloaderNumWorkers = 1

  @Option(
    name: .customLong("cache_dir"),
    help: "Where encoded images and captions are kept; by default in the output folder.")
  var cacheDir: String?

  mutating func validate() throws {
    guard (trainDataDir == nil) != (datasetName == nil) else {
      throw ValidationError(
        "give one of --train_data_dir and --dataset_name, not "
          + (trainDataDir == nil ? "neither" : "both"))
    }
    guard (0...256).contains(dataloaderNumWorkers) else {
      throw ValidationError(
        "--dataloader_num_workers is \(dataloaderNumWorkers), expected 0 to 256")
    }
  }

  func apply(to configuration: inout TrainingConfiguration) {
    configuration.trainDataDir = trainDataDir ?? datasetName ?? ""
    configuration.imageColumn = imageColumn
    configuration.conditioningImageColumn = conditioningImageColumn
    configuration.captionColumn = captionColumn
    configuration.maxTrainSamples = maxTrainSamples
    configuration.proportionEmptyPrompts = proportionEmptyPrompts
    configuration.resolution = resolution
    configuration.cropsCoordsTopLeftH = cropsCoordsTopLeftH
    configuration.cropsCoordsTopLeftW = cropsCoordsTopLeftW
    configuration.dataloaderNumWorkers = dataloaderNumWorkers
    configuration.cacheDir = cacheDir
  }
}
