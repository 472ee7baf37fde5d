import EspalierCheckpoints
import EspalierModels
import EspalierPresets
import EspalierTensors
import Foundation
import TestSupport
import Testing

/// Goldens: `Tests/SDXLLayout/original_names.json`, which Diffusers' converters made.
@Suite("Names in single files") struct OriginalNamesTests {
  /// A tensor of the four networks and where SDXL's single file has it.
  struct Golden: Sendable {
    /// With the component's prefix.
    let original: String
    let component: String
    let key: String
    let form: String

    static let all: [Golden] = {
      let url = URL(fileURLWithPath: Fixtures.project + "/Tests/SDXLLayout/original_names.json")
      let records = (try? JSONValue(parsing: Data(contentsOf: url)))?.array ?? []
      return records.compactMap { $0.strings }.map {
        Golden(original: $0[0], component: $0[1], key: $0[2], form: $0[3])
      }
    }()

    /// The tensor's shape in Diffusers' layout, from the lists of all tensors.
    var shape: Shape {
      get throws {
        let shapes = try #require(Self.shapes[component])
        // Newer versions of Transformers write the first text encoder without `text_model.`.
        let name = shapes.has(key) ? key : key.replacing("text_model.", with: "")
        return Shape(try shapes.ints(name))
      }
    }

    private static let shapes: [String: JSONObject] = {
      var result: [String: JSONObject] = [:]
      for component in ["unet", "vae", "text_encoder", "text_encoder_2"] {
        result[component] = try? JSONObject(
          contentsOf: "\(Fixtures.project)/Tests/SDXLLayout/\(component)/tensors.json")
      }
      return result
    }()

    /// How many tensors a component has.
    static func count(_ component: String) -> Int? { shapes[component]?.keys.count }

    /// The tensor's shape in the file.
    var shapeInFile: Shape {
      get throws { shapeInFile(try shape.dims) }
    }

    private func shapeInFile(_ dims: [Int]) -> Shape {
      switch form {
      case "T": Shape(dims.reversed())
      case "1x1": Shape(dims + [1, 1])
      case "": Shape(dims)
      default: Shape([dims[0] * 3] + dims.dropFirst())
      }
    }
  }

  private static let prefixes = [
    "unet": "model.diffusion_model.", "vae": "first_stage_model.",
    "text_encoder": "conditioner.embedders.0.transformer.",
    "text_encoder_2": "conditioner.embedders.1.model.",
  ]

  private func names(_ component: String) throws -> OriginalNames {
    func names<M: Model>(_: M.Type, _ json: JSONObject) throws -> OriginalNames {
      try M.Configuration(json).originalNames
    }
    let json = try #require(ModelPreset.named("sdxl-base-1.0")).json("\(component)/config.json")
    return try names(ModelRegistry.standard.model(for: json), json)
  }

  @Test func `are known for all 2,641 tensors`() {
    #expect(Golden.all.count == 2641)
    #expect(Set(Golden.all.map { $0.component + "/" + $0.key }).count == 2641)
    // The published file has two more, which belong to no parameter.
    #expect(Set(Golden.all.map(\.original)).count == 2513)
  }

  @Test(arguments: ["unet", "vae", "text_encoder", "text_encoder_2"])
  func `lead to every tensor of SDXL, in its shape, and to nothing else`(component: String) throws {
    let goldens = Golden.all.filter { $0.component == component }
    #expect(goldens.count == Golden.count(component))
    var entries: [String: TensorEntry] = [:]
    for golden in goldens {
      let shape = try golden.shapeInFile
      entries[golden.original] = TensorEntry(
        dtypeName: "F16", shape: shape, byteRange: 64..<64 + 2 * shape.count)
    }
    let prefix = try #require(Self.prefixes[component])
    let views = try names(component).views(of: entries, prefix: prefix)
    #expect(Set(views.keys).symmetricDifference(goldens.map(\.key)).isEmpty)
    for golden in goldens {
      let view = try #require(views[golden.key])
      #expect(view.source == golden.original)
      #expect(try view.shape == golden.shape, "\(golden.key)")
      #expect(view.isTransposed == (golden.form == "T"))
      let third = golden.form.hasSuffix("/3") ? Int(golden.form.prefix(1)) : nil
      let start = 64 + 2 * view.shape.count * (third ?? 0)
      #expect(view.entry.byteRange == start..<start + 2 * view.shape.count, "\(golden.key)")
    }
  }

  @Test func `keep a tensor that no part of the model has, so that it is reported`() throws {
    let name = "model.diffusion_model.input_blocks.1.0.in_layers.7.weight"
    let entry = TensorEntry(dtypeName: "F32", shape: [1], byteRange: 0..<4)
    let views = try names("unet").views(
      of: [name: entry, "another.component": entry], prefix: "model.diffusion_model.")
    #expect(views.keys.sorted() == [name])
  }

  /// The tests' writer of such files is checked by the same list.
  @Test func `are those that the tests write`() throws {
    let keys = Set(Golden.all.filter { $0.component == "unet" }.map(\.key))
    for golden in Golden.all {
      let prefix = try #require(Self.prefixes[golden.component])
      let (name, third): (String, Int?)
      switch golden.component {
      case "unet":
        (name, third) = (OriginalLayout.unetName(golden.key, layers: 2, among: keys), nil)
      case "vae": (name, third) = (OriginalLayout.vaeName(golden.key, levels: 4), nil)
      case "text_encoder": (name, third) = (golden.key, nil)
      default: (name, third) = OriginalLayout.openCLIPName(golden.key)
      }
      #expect(prefix + name == golden.original)
      #expect(third == (golden.form.hasSuffix("/3") ? Int(golden.form.prefix(1)) : nil))
    }
  }
}
