import ArgumentParser

/// A piece of work that is measured.
enum Work: String, CaseIterable, Codable, ExpressibleByArgument {
  /// Adapter forward, UNet forward and backward to the adapter, gradient norm, clipping, AdamW.
  case trainingStep = "training-step"
  /// One pass of the UNet with an adapter's features.
  case unetSingle = "unet-2"
  case unetBatch = "unet-16"
  /// One picture.
  case vaeDecode = "vae-decode"

  /// Samples of a UNet pass; with guidance two for each picture.
  var unetBatchSize: Int? {
    switch self {
    case .unetSingle: 2
    case .unetBatch: 16
    case .trainingStep, .vaeDecode: nil
    }
  }

  /// True if graph options change anything.
  var hasGraphOptions: Bool { self != .vaeDecode }

  /// What a row of the table is called.
  func title(batchSize: Int) -> String {
    switch self {
    case .trainingStep: "training step, batch \(batchSize)"
    case .unetSingle: "UNet, 1 picture with guidance (batch 2)"
    case .unetBatch: "UNet, 8 pictures with guidance (batch 16)"
    case .vaeDecode: "VAE decode, 1 picture"
    }
  }

  /// The least that this program must reach: our median and our peak memory over PyTorch's.
  var targets: (time: Double, memory: Double)? {
    self == .trainingStep ? (0.8, 0.5) : nil
  }
}
