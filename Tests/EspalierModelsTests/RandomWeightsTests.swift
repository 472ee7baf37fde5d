import EspalierModels
import EspalierPresets
import EspalierTensors
import TestSupport
import Testing

@Suite("Random weights") struct RandomWeightsTests {
  private func parameters(_ keys: [(String, Shape)]) -> [RandomWeights.Parameter] {
    RandomWeights.parameters(keys.map { (key: $0.0, shape: $0.1) })
  }

  @Test func `keep the variance of what flows through`() {
    let found = parameters([
      ("conv1.weight", [320, 640, 3, 3]), ("conv1.bias", [320]), ("norm.weight", [320]),
      ("norm.bias", [320]), ("ff.net.2.weight", [640, 2560]), ("ff.net.2.bias", [640]),
      ("embeddings.token_embedding.weight", [1000, 64]),
    ])
    let inputs = [5760.0, 2560]
    for (index, count) in [(0, inputs[0]), (4, inputs[1])] {
      let (weight, bias) = (found[index], found[index + 1])
      // A uniform distribution of half width w has variance w² / 3.
      let variance = Double(weight.halfWidth) * Double(weight.halfWidth) / 3
      #expect(abs(variance * count - 1) < 1e-5)
      #expect(abs(Double(bias.halfWidth) * count.squareRoot() - 1) < 1e-5)
      #expect(weight.center == 0 && bias.center == 0)
    }
    #expect(found[2].center == 1 && found[2].halfWidth == 0.1)
    #expect(found[3].center == 0 && found[3].halfWidth == 0.1)
    #expect(found[6].halfWidth > 1)
  }

  @Test func `make the branches of a text encoder smaller, the more there are`() {
    let layer: [(String, Shape)] = [
      ("self_attn.out_proj.weight", [64, 64]), ("mlp.fc2.weight", [64, 64]),
    ]
    let one = parameters(layer.map { ("layers.0." + $0.0, $0.1) })
    let four = parameters((0..<4).flatMap { k in layer.map { ("layers.\(k)." + $0.0, $0.1) } })
    #expect(abs(one[0].halfWidth / four[0].halfWidth - 2) < 1e-6)
    #expect(abs(Double(one[0].halfWidth) - (3.0 / 64 / 2).squareRoot()) < 1e-6)
  }
}
