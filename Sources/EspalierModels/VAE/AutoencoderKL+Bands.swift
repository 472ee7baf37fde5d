import EspalierGraph
import EspalierTensors

extension AutoencoderKL: BandedAutoencoder {
  public var normGroups: Int { configuration.normNumGroups }
  public var normEpsilon: Double { decoder.convNormOut.epsilon }

  public func decodingStages(height: Int, width: Int, wholeByteLimit: Int) -> [BandStage] {
    var list = AutoencoderStages(self)
    let channels = Array(configuration.blockOutChannels.reversed())
    func shape(_ level: Int, _ channels: Int) -> Shape {
      [1, height << level, width << level, channels]
    }
    // The widest map of a level is the one that enters it.
    let first =
      channels.indices.first {
        4 * shape($0, channels[max($0 - 1, 0)]).count > wholeByteLimit
      } ?? channels.count
    let last = channels.count - 1
    let firstNorm: AutoencoderStages.Finding<GroupNorm> = { $0.decoder.levels[0].resnets[0].norm1 }
    var x = list.whole(
      0, height: height,
      shape(max(first - 1, 0), channels[max(first - 1, 0)]), at: "decoder.mid_block",
      norm: first == 0 ? firstNorm : nil
    ) { network, latents in
      network.decoder.head(network.postQuantConv?(latents) ?? latents, levelCount: first)
    }
    for i in channels.indices.dropFirst(first) {
      var source: AutoencoderStages.Doubling?
      if i > 0 {
        let doubling = AutoencoderStages.Doubling(shape(i, channels[i - 1])) {
          $0.decoder.levels[i - 1].upsampler
        }
        // The map behind the last upsampling is the largest of all: it is computed again where it is read.
        if i == last {
          source = doubling
        } else {
          x = list.doubled(x, doubling) { $0.decoder.levels[i].resnets[0].norm1 }
        }
      }
      for (j, resnet) in decoder.levels[i].resnets.enumerated() {
        let isLast = j == decoder.levels[i].resnets.count - 1
        x = list.resnet(
          x, shape(i, resnet.conv1.outChannels), resnet, behind: source,
          isNormalised: !isLast || i == last
        ) { $0.decoder.levels[i].resnets[j] }
        source = nil
      }
    }
    if first == channels.count {
      list.whole(
        x, height: height << last, shape(last, configuration.outChannels), at: "decoder", norm: nil
      ) { network, h in network.decoder.convOut(network.decoder.convNormOut(h).silu()) }
    } else {
      list.end(x, shape(last, configuration.outChannels))
    }
    return list.stages
  }

  public func encodingStages(height: Int, width: Int, wholeByteLimit: Int) -> [BandStage] {
    var list = AutoencoderStages(self)
    let channels = configuration.blockOutChannels
    func shape(_ level: Int, _ channels: Int) -> Shape {
      [1, height >> level, width >> level, channels]
    }
    let whole =
      channels.indices.first {
        4 * shape($0, channels[$0]).count <= wholeByteLimit
      } ?? channels.count
    var x = 0
    if whole > 0 {
      let norm: AutoencoderStages.Finding<GroupNorm> = { $0.encoder.levels[0].resnets[0].norm1 }
      x = list.convolution(0, shape(0, channels[0]), norm: norm, inputHeight: height) {
        $0.encoder.convIn
      }
    }
    for i in channels.indices.prefix(whole) {
      let level = encoder.levels[i]
      for (j, resnet) in level.resnets.enumerated() {
        x = list.resnet(
          x, shape(i, channels[i]), resnet, behind: nil,
          isNormalised: j < level.resnets.count - 1
        ) { $0.encoder.levels[i].resnets[j] }
      }
      if level.downsampler != nil {
        let nextNorm: AutoencoderStages.Finding<GroupNorm> = {
          $0.encoder.levels[i + 1].resnets[0].norm1
        }
        x = list.convolution(
          x, shape(i + 1, channels[i]),
          norm: i + 1 < whole ? nextNorm : nil, inputHeight: height >> i
        ) { $0.encoder.levels[i].downsampler?.conv }
      }
    }
    let depth = min(whole, channels.count - 1)
    list.whole(
      x, height: height >> depth,
      shape(channels.count - 1, 2 * configuration.latentChannels), at: "encoder", norm: nil
    ) { network, h in
      let moments =
        whole == 0
        ? network.encoder(h) : network.encoder.tail(h, fromLevel: whole)
      return network.quantConv?(moments) ?? moments
    }
    return list.stages
  }
}
