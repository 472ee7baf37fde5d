import EspalierCheckpoints
import EspalierGraph
import EspalierModels
import EspalierTensors
import TestSupport
import Testing

@Suite("Graphs of SDXL's size") struct GraphShapeTests {
  @Test(arguments: [(128, 128), (130, 90)])
  func `the U-Net takes an adapter's features and keeps the sides of the latents`(
    height: Int, width: Int
  ) throws {
    let configuration = try UNet2DConditionConfiguration(json("unet"))
    let adapter = T2IAdapterConfiguration.sdxl
    let graph = GraphBuilder()
    let image = graph.input("image", [1, 8 * height, 8 * width, 3])
    let features = T2IAdapter(graph.scope("adapter"), adapter).features(of: image)
    #expect(
      features.map(\.shape)
        == adapter.featureShapes(batch: 1, height: 8 * height, width: 8 * width))
    let unet = UNet2DConditionModel(graph.scope("unet"), configuration)
    let y = unet(
      DenoiserInputs(
        sample: graph.input("sample", [1, height, width, 4]),
        timeEmbedding: graph.input("time", [1, 320]), addEmbedding: graph.input("add", [1, 2816]),
        encoderHiddenStates: graph.input("text", [1, 77, 2048]), adapterFeatures: features))
    try graph.check()
    #expect(y.shape == [1, height, width, 4])
  }

  @Test func `features that do not fit are refused with the place in the U-Net`() throws {
    let configuration = try UNet2DConditionConfiguration(json("unet"))
    let graph = GraphBuilder()
    let unet = UNet2DConditionModel(graph.scope("unet"), configuration)
    _ = unet(
      DenoiserInputs(
        sample: graph.input("sample", [1, 64, 64, 4]),
        timeEmbedding: graph.input("time", [1, 320]),
        addEmbedding: graph.input("add", [1, 2816]),
        encoderHiddenStates: graph.input("text", [1, 77, 2048]),
        adapterFeatures: [graph.input("feature", [1, 64, 64, 320])]))
    let error = #expect(throws: GraphError.self) { try graph.check() }
    #expect(error?.description.contains("unet.down_blocks.0.downsamplers.0") == true)
  }

  @Test func `the VAE encodes and decodes pictures with sides that are multiples of 8`() throws {
    let graph = GraphBuilder()
    let vae = try AutoencoderKL(
      graph.scope("vae"), AutoencoderKLConfiguration(json("vae")))
    let moments = vae.encode(graph.input("pixels", [1, 1032, 72, 3]))
    let pixels = vae.decode(graph.input("latents", [2, 129, 9, 4]))
    try graph.check()
    #expect(moments.shape == [1, 129, 9, 8])
    #expect(pixels.shape == [2, 1032, 72, 3])
  }

  @Test func `the second text encoder pools what the U-Net expects`() throws {
    let graph = GraphBuilder()
    let encoder = try CLIPTextModelWithProjection(
      graph.scope("text_encoder_2"), CLIPTextConfiguration(json("text_encoder_2")))
    let output = encoder(
      graph.input("ids", [3, 77], dtype: .int32),
      eosPositions: graph.input("eos", [3], dtype: .int32))
    try graph.check()
    #expect(output.hiddenStates.count == 33)
    #expect(output.hiddenStates.allSatisfy { $0.shape == [3, 77, 1280] })
    #expect(output.lastHiddenState.shape == [3, 77, 1280])
    #expect(output.textEmbeds?.shape == [3, 1280])
  }

  private func json(_ component: String) throws -> JSONObject {
    try JSONObject(contentsOf: Fixtures.sdxlFolder + "/\(component)/config.json")
  }
}
