import EspalierCheckpoints
import EspalierModels
import EspalierTensors
import Foundation
import TestSupport
import Testing

@Suite("Declared parameters") struct LayoutTests {
  static let components = ["unet", "vae", "text_encoder", "text_encoder_2", "t2i_adapter_xl"]

  @Test(arguments: components)
  func `are exactly those of SDXL, names and shapes`(component: String) throws {
    let lists = Fixtures.project + "/Tests/SDXLLayout/" + component
    let listed = try JSONObject(contentsOf: lists + "/tensors.json")
    let isModel = component != "t2i_adapter_xl"
    let model = try Declared(folder: isModel ? Fixtures.sdxlFolder + "/" + component : lists)
    #expect(!model.parameters.isEmpty)
    var names: Set<String> = []
    for (key, shape) in model.parameters {
      let name = try #require(
        model.keyMap.spellings(of: key).first { listed.has($0) }, "\(key) is not in the checkpoint")
      #expect(try listed.ints(name) == shape.dims, "\(key)")
      names.insert(name)
    }
    #expect(names == Set(listed.keys))
  }

  @Test(arguments: ["unet", "vae", "text_encoder", "text_encoder_2"])
  func `fit the weights of the small model`(component: String) throws {
    for base in [Fixtures.path("tiny-sdxl"), Fixtures.project + "/Sources/EspalierDemo/BaseModel"] {
      try Declared(folder: base + "/" + component).check()
    }
  }

  @Test(arguments: [
    "adapter_xl", "adapter_xl_second", "adapter_xl_gray", "adapter_full", "adapter_light",
  ])
  func `fit the weights of the adapters`(folder: String) throws {
    try Declared(folder: Fixtures.path(folder)).check()
  }

  @Test func `of an adapter come in the order of PyTorch`() throws {
    let text = try Data(
      contentsOf: URL(
        fileURLWithPath: Fixtures.project + "/Tests/SDXLLayout/t2i_adapter_xl/tensors.json"))
    let members = try #require(try JSONValue(parsing: text).members)
    #expect(T2IAdapter.parameters(.sdxl).map(\.key) == members.map(\.key))
  }

  @Test func `are found under the old names of the VAE's attention`() throws {
    let key = "decoder.mid_block.attentions.0.to_out.0.bias"
    #expect(
      KeyMap.autoencoderKL.spellings(of: key)
        == [key, "decoder.mid_block.attentions.0.proj_attn.bias"])
    #expect(KeyMap.autoencoderKL.spellings(of: "encoder.conv_in.weight").count == 1)
  }

  @Test func `are found under the names that the adapters' authors use`() throws {
    let keys = T2IAdapter.parameters(.sdxl).map(\.key)
    let theirs = Set(keys.map { T2IAdapterConfiguration.sdxl.keyMap.spellings(of: $0)[1] })
    var expected: Set<String> = ["conv_in.weight", "conv_in.bias"]
    for block in 0..<8 {
      for layer in ["block1", "block2"] {
        expected.formUnion(["body.\(block).\(layer).weight", "body.\(block).\(layer).bias"])
      }
    }
    for block in [2, 4] {
      expected.formUnion(["body.\(block).in_conv.weight", "body.\(block).in_conv.bias"])
    }
    #expect(theirs == expected)
  }
}

/// What the model that a folder's configuration names declares.
struct Declared {
  let className: String
  let folder: String
  let parameters: [(key: String, shape: Shape)]
  let keyMap: KeyMap

  init(folder: String) throws {
    let json = try JSONObject(contentsOf: folder + "/config.json")
    let model = try ModelRegistry.standard.model(for: json)
    self.folder = folder
    className = model.className
    (parameters, keyMap) = try Self.declared(model, json)
  }

  /// Expects an exact fit with the weights in the folder.
  func check() throws {
    let checkpoint = try Checkpoint(folder: folder).view(keyMap)
    try LoadReport(model: className, required: parameters, checkpoint: checkpoint).check()
  }

  private static func declared<M: Model>(
    _ model: M.Type, _ json: JSONObject
  ) throws -> ([(key: String, shape: Shape)], KeyMap) {
    let configuration = try M.Configuration(json)
    return (M.parameters(configuration), configuration.keyMap)
  }
}
