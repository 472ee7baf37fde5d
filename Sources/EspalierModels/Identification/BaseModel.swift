/// The families of models that files of weights belong to.
public enum BaseModel: String, Sendable, Hashable {
  case sdxl = "Stable Diffusion XL"
  case sdxlVelocity = "a Stable Diffusion XL that predicts velocity"
  case sdxlInpainting = "an inpainting or editing model of Stable Diffusion XL"
  case sdxlRefiner = "Stable Diffusion XL's refiner"
  case stableDiffusion1 = "Stable Diffusion 1"
  case stableDiffusion2 = "Stable Diffusion 2"
  case stableDiffusion3 = "Stable Diffusion 3"
  case flux = "FLUX"
  case playground = "Playground v2.5"
  case unknown = "a model that is not known"

  /// The model that a U-Net belongs to.
  ///
  /// - Parameters:
  ///   - textFeatures: What its cross-attention reads.
  ///   - inChannels: What its first convolution reads.
  ///   - embedsSizes: Whether sizes and pooled text are added to the time.
  init(textFeatures: Int?, inChannels: Int?, embedsSizes: Bool) {
    switch (textFeatures, embedsSizes) {
    case (768, false): self = .stableDiffusion1
    case (1024, false): self = .stableDiffusion2
    case (1280, true): self = .sdxlRefiner
    case (_, true): self = (inChannels ?? 4) > 4 ? .sdxlInpainting : .sdxl
    default: self = .unknown
    }
  }

  /// The name of a pipeline's class, with the model that it is for if that is known.
  public static func described(pipeline className: String) -> String {
    let families: [(prefix: String, model: BaseModel)] = [
      ("StableDiffusionXLInpaint", .sdxlInpainting),
      ("StableDiffusionXLInstructPix2Pix", .sdxlInpainting), ("StableDiffusionXL", .sdxl),
      ("StableDiffusion3", .stableDiffusion3), ("Flux", .flux),
    ]
    if let family = families.first(where: { className.hasPrefix($0.prefix) }) {
      return "\(className): \(family.model.rawValue)"
    }
    return className.hasPrefix("StableDiffusion")
      ? "\(className): \(BaseModel.stableDiffusion1.rawValue) or 2" : className
  }
}
