import ArgumentParser

/// A piece of work that is measured: a part of the model, or one operation.
package enum Work: Hashable {
  /// Adapter forward, UNet forward and backward to the adapter, gradient norm, clipping, AdamW.
  case trainingStep(batch: Int, Variant)
  /// One pass of the UNet with an adapter's features; with guidance two samples for each picture.
  case unet(batch: Int)
  /// One picture.
  case vaeDecode, vaeEncode
  /// Both, one prompt.
  case textEncoders
  /// The adapter's maps of one picture, and from their cotangents the gradients of its parameters.
  case adapter
  case operation(OperationShape)

  /// What differs between training steps.
  package enum Variant: String, CaseIterable {
    /// Nothing is computed for the UNet's own weights, here and in PyTorch.
    case frozen = ""
    /// PyTorch makes gradients of the UNet's weights too, as the reference script does; the same as `frozen` here.
    case reference = "-reference"
    /// Blocks are computed again in the backward pass, here and in PyTorch.
    case checkpointing = "-checkpointing"
  }

  /// What this program does beside PyTorch's work.
  package var ours: Work {
    if case .trainingStep(let batch, .reference) = self {
      .trainingStep(batch: batch, .frozen)
    } else {
      self
    }
  }

  package var isGradientCheckpointing: Bool {
    if case .trainingStep(_, .checkpointing) = self { true } else { false }
  }

  package var isOperation: Bool {
    if case .operation = self { true } else { false }
  }

  /// True if graph options change anything.
  package var hasGraphOptions: Bool {
    switch self {
    case .trainingStep, .unet: true
    default: false
    }
  }

  /// What a row of the table is called.
  package var title: String {
    switch self {
    case .trainingStep(let batch, .frozen): "training step, batch \(batch)"
    case .trainingStep(let batch, .reference):
      "training step, batch \(batch), the reference script's"
    case .trainingStep(let batch, .checkpointing):
      "training step, batch \(batch), gradient checkpointing"
    case .unet(let batch): "UNet, batch \(batch)"
    case .vaeDecode: "VAE decode"
    case .vaeEncode: "VAE encode"
    case .textEncoders: "text encoders, batch 1"
    case .adapter: "adapter forward and backward"
    case .operation(let shape): shape.title
    }
  }
}

/// `unet-2`, `training-step-1-reference`, `linear:4096x640x640`: the same words for `PyTorch/measure.py`.
extension Work: RawRepresentable, Codable, ExpressibleByArgument {
  private static let named: [String: Work] = Dictionary(
    uniqueKeysWithValues: [vaeDecode, .vaeEncode, .textEncoders, .adapter].map {
      ($0.rawValue, $0)
    })
  private static let step = "training-step-"

  package init?(rawValue: String) {
    if let work = Self.named[rawValue] {
      self = work
    } else if rawValue.hasPrefix("unet-"), let batch = Int(rawValue.dropFirst(5)), batch > 0 {
      self = .unet(batch: batch)
    } else if rawValue.hasPrefix(Self.step) {
      let rest = rawValue.dropFirst(Self.step.count)
      let digits = rest.prefix { $0.isNumber }
      guard let batch = Int(digits), batch > 0,
        let variant = Variant(rawValue: String(rest.dropFirst(digits.count)))
      else { return nil }
      self = .trainingStep(batch: batch, variant)
    } else if let shape = OperationShape(rawValue) {
      self = .operation(shape)
    } else {
      return nil
    }
  }

  package var rawValue: String {
    switch self {
    case .unet(let batch): "unet-\(batch)"
    case .trainingStep(let batch, let variant): "\(Self.step)\(batch)\(variant.rawValue)"
    case .operation(let shape): shape.description
    case .vaeDecode: "vae-decode"
    case .vaeEncode: "vae-encode"
    case .textEncoders: "text-encoders"
    case .adapter: "adapter"
    }
  }
}
