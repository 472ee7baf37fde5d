import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors

/// Decodes one picture again and again.
struct DecodingJob: Job {
  private let decoder: LatentDecoder
  private let latents: HostTensor
  private var pixels: HostTensor?

  init(_ place: Workplace) throws {
    let vae = try place.folder.open(.vae, as: AutoencoderKL.self)
    let side = place.latentSide(vae.configuration)
    decoder = try LatentDecoder(
      place.folder.autoencoder(), height: side, width: side, device: place.device)
    latents = Waves.tensor(.sample, [1, vae.configuration.latentChannels, side, side])
      .channelsLast()
  }

  mutating func run(profile: ExecutionProfile?) throws {
    pixels = try decoder(latents, profile: profile)
  }

  func results() -> [(name: String, tensor: HostTensor)] { pixels.map { [("pixels", $0)] } ?? [] }
}

/// Encodes one picture again and again.
struct EncodingJob: Job {
  private let encoder: LatentEncoder
  private let pixels: HostTensor
  private var mean: HostTensor?

  init(_ place: Workplace) throws {
    let side = place.resolution
    encoder = try LatentEncoder(
      place.folder.autoencoder(), height: side, width: side, device: place.device)
    pixels = Waves.tensor(.sample, [1, 3, side, side]).channelsLast()
  }

  mutating func run(profile: ExecutionProfile?) throws {
    mean = try encoder(pixels, profile: profile).mean
  }

  func results() -> [(name: String, tensor: HostTensor)] { mean.map { [("mean", $0)] } ?? [] }
}
