import EspalierCheckpoints
import EspalierPipelines
import EspalierTensors
import TestSupport
import Testing

extension Pipelines {
  @Suite("PromptEncoder") struct PromptEncoderTests {
    private let prompts: [String]
    private let encoder: PromptEncoder

    init() throws {
      prompts = try #require(try Fixtures.json("tokens.json")["prompts"]?.strings)
      encoder = try PromptEncoder(
        DiffusionFolder(path: TestModel.path), device: TestModel.device())
    }

    @Test func `penultimate states of both encoders lie side by side`() throws {
      let goldens = try Fixtures.tensors("text.safetensors")
      let first = try goldens.tensor("hidden_1_penultimate")
      let second = try goldens.tensor("hidden_2_penultimate")
      let pooled = try goldens.tensor("pooled")
      let result = try encoder(prompts.map { PromptEncoder.Prompt($0) })
      #expect(result.count == prompts.count)
      let (m, n, tokens) = (first.shape.last, second.shape.last, encoder.tokenCount)
      #expect(encoder.hiddenSize == m + n)
      for (k, embedding) in result.enumerated() {
        #expect(embedding.hiddenStates.shape == [tokens, m + n])
        let values = embedding.hiddenStates.floats()
        var parts: ([Float], [Float]) = ([], [])
        for token in 0..<tokens {
          let row = values[token * (m + n)..<(token + 1) * (m + n)]
          parts.0 += row.prefix(m)
          parts.1 += row.suffix(n)
        }
        func golden(_ tensor: HostTensor, _ size: Int) -> [Float] {
          Array(tensor.floats()[k * size..<(k + 1) * size])
        }
        expectClose(parts.0, golden(first, tokens * m), relativeL2: 1e-4, "encoder 1, \(k)")
        expectClose(parts.1, golden(second, tokens * n), relativeL2: 1e-4, "encoder 2, \(k)")
        expectClose(
          embedding.pooled.floats(), golden(pooled, pooled.shape.last), relativeL2: 1e-4,
          "pooled, \(k)")
      }
    }

    @Test func `clip_skip takes earlier states and leaves the pooled embedding`() throws {
      let goldens = try Fixtures.tensors("text.safetensors")
      let states = goldens.names.filter { $0.hasPrefix("hidden_1_") && Int($0.dropFirst(9)) != nil }
      let all = try encoder((0..<2).map { PromptEncoder.Prompt(prompts[0], clipSkip: $0) })
      // hidden_states has one more entry than the encoder has layers.
      let earlier = try goldens.tensor("hidden_1_\(states.count - 3)")
      let width = earlier.shape.last
      let row = Array(all[1].hiddenStates.floats().prefix(width))
      expectClose(row, Array(earlier.floats().prefix(width)), relativeL2: 1e-4)
      expectClose(all[1].pooled, all[0].pooled, relativeL2: 0)
      #expect(relativeL2(all[1].hiddenStates.floats(), all[0].hiddenStates.floats()) > 0.01)
    }

    @Test func `a clip_skip beyond the layers is refused`() {
      let error = #expect(throws: PipelineError.self) {
        try encoder([PromptEncoder.Prompt(prompts[0], clipSkip: 1000)])
      }
      #expect("\(error as Any)".contains("--clip_skip is 1000; expected 0 to"))
    }

    @Test func `a long prompt is reported with what is left out`() {
      let long = [String](repeating: "circle", count: encoder.tokenCount + 3).joined(separator: " ")
      #expect(encoder.truncatedText(long)?.contains("circle") == true)
      #expect(encoder.truncatedText("circle") == nil)
    }
  }
}
