import EspalierHost
import EspalierModels
import EspalierPipelines
import EspalierTensors

/// Decodes one picture again and again.
struct DecodingJob: Job {
  private let decoder: LatentDecoder
  private let latents: HostTensor
  private var pixels: HostTensor?

  var results: [Double] { pixels.map { [Waves.meanSquare($0)] } ?? [] }
  var arenaByteCount: Int? { nil }

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
}
