import EspalierCheckpoints
import EspalierTensors
import Foundation

/// Writes models as their authors do: one file, blocks numbered through, fused attention.
///
/// This is the inverse of what the program reads, written from the other end: it takes Diffusers' keys apart and
/// counts blocks with arithmetic, where the program lists them from the configuration.
public struct OriginalLayout {
  private let folder: String

  /// - Parameter folder: A model folder in Diffusers' layout, one file of weights for each component.
  public init(folder: String) { self.folder = folder }

  /// Writes the whole model.
  ///
  /// - Parameter addingStrangers: Whether names are added that belong to no part of the model.
  public func write(to path: String, addingStrangers: Bool = true) throws {
    var tensors = try unet() + vae(prefix: "first_stage_model.") + textEncoder() + textEncoder2()
    if addingStrangers {
      let one = HostTensor([1 as Float], shape: [1])
      tensors += [
        ("conditioner.embedders.1.model.logit_scale", one), ("model_ema.decay", one),
        ("conditioner.embedders.0.transformer.text_model.embeddings.position_ids", one),
      ]
    }
    try SafetensorsWriter.write(tensors, to: path)
  }

  /// Writes the VAE alone.
  public func writeVAE(to path: String, prefix: String = "") throws {
    try SafetensorsWriter.write(vae(prefix: prefix), to: path)
  }

  private typealias Tensors = [(name: String, tensor: HostTensor)]

  private func tensors(_ component: String) throws -> Tensors {
    let checkpoint = try Checkpoint(folder: folder + "/" + component)
    return try checkpoint.entries.keys.sorted().map { ($0, try checkpoint.tensor($0)) }
  }

  private func layers(_ component: String) throws -> Int {
    try JSONObject(contentsOf: folder + "/" + component + "/config.json").int("layers_per_block")
  }

  private func unet() throws -> Tensors {
    let tensors = try tensors("unet")
    let (layers, keys) = (try layers("unet"), Set(tensors.map(\.name)))
    return tensors.map { key, tensor in
      ("model.diffusion_model." + Self.unetName(key, layers: layers, among: keys), tensor)
    }
  }

  private func vae(prefix: String) throws -> Tensors {
    let tensors = try tensors("vae")
    let levels = Self.levels(tensors.map(\.name))
    return tensors.map { key, tensor in
      let name = Self.vaeName(key, levels: levels)
      let isKernel = name.contains(".attn_1.") && tensor.shape.rank == 2
      let shape = Shape(tensor.shape.dims + (isKernel ? [1, 1] : []))
      return (prefix + name, tensor.reshaped(shape))
    }
  }

  private func textEncoder() throws -> Tensors {
    try tensors("text_encoder").map { key, tensor in
      ("conditioner.embedders.0.transformer." + Self.inTextModel(key), tensor)
    }
  }

  private func textEncoder2() throws -> Tensors {
    var fused: [String: [(place: Int, tensor: HostTensor)]] = [:]
    var result: Tensors = []
    for (key, tensor) in try tensors("text_encoder_2") {
      let (name, place) = Self.openCLIPName(Self.inTextModel(key))
      let whole = "conditioner.embedders.1.model." + name
      if let place {
        fused[whole, default: []].append((place, tensor))
      } else {
        result.append((whole, name == "text_projection" ? tensor.permuted([1, 0]) : tensor))
      }
    }
    return result
      + fused.map { name, parts in
        (name, HostTensor.concatenated(parts.sorted { $0.place < $1.place }.map(\.tensor)))
      }
  }

  private static func inTextModel(_ key: String) -> String {
    key.hasPrefix("text_") ? key : "text_model." + key
  }

  private static let resnet = [
    "norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0", "conv2": "out_layers.3", "conv_shortcut": "skip_connection",
  ]

  /// The authors' name of a tensor of the U-Net, without `model.diffusion_model.`.
  ///
  /// - Parameters:
  ///   - layers: Residual blocks of a level on the way down, the same in all levels.
  ///   - keys: All of Diffusers' keys.
  public static func unetName(_ key: String, layers: Int, among keys: Set<String>) -> String {
    let words = key.split(separator: ".").map(String.init)
    let end = words[words.count - 1]
    switch words[0] {
    case "conv_in": return "input_blocks.0.0." + end
    case "conv_norm_out": return "out.0." + end
    case "conv_out": return "out.2." + end
    case "time_embedding": return "time_embed.\(words[1] == "linear_1" ? 0 : 2).\(end)"
    case "add_embedding": return "label_emb.0.\(words[1] == "linear_1" ? 0 : 2).\(end)"
    default: break
    }
    let isMiddle = words[0] == "mid_block"
    let level = isMiddle ? 0 : Int(words[1]) ?? -1
    let (kind, layer) = (words[isMiddle ? 1 : 2], Int(words[isMiddle ? 2 : 3]) ?? -1)
    let rest = words.dropFirst(isMiddle ? 3 : 4)
    let inside =
      kind == "resnets"
      ? (resnet[rest.first ?? ""] ?? "?") + "." + end : rest.joined(separator: ".")
    if isMiddle {
      return "middle_block.\(kind == "attentions" ? 1 : 2 * layer).\(inside)"
    }
    let sampler = kind.hasSuffix("samplers")
    let number = level * (layers + 1) + (sampler ? layers : layer)
    if words[0] == "down_blocks" {
      return sampler
        ? "input_blocks.\(number + 1).0.op.\(end)"
        : "input_blocks.\(number + 1).\(kind == "attentions" ? 1 : 0).\(inside)"
    }
    let attends = keys.contains("up_blocks.\(level).attentions.0.norm.weight")
    let place = sampler ? (attends ? 2 : 1) : (kind == "attentions" ? 1 : 0)
    return "output_blocks.\(number).\(place).\(inside)"
  }

  /// The number of levels that a VAE's keys have.
  public static func levels(_ keys: [String]) -> Int {
    Set(keys.filter { $0.hasPrefix("decoder.up_blocks.") }.map { $0.split(separator: ".")[2] })
      .count
  }

  /// The authors' name of a tensor of the VAE, without `first_stage_model.`.
  public static func vaeName(_ key: String, levels: Int) -> String {
    let words = key.split(separator: ".").map(String.init)
    guard words.count > 3 else { return key.replacing("conv_norm_out", with: "norm_out") }
    let (part, end) = (words[0], words[words.count - 1])
    if words[1] == "mid_block" {
      let layer = Int(words[3]) ?? -1
      if words[2] == "resnets" { return "\(part).mid.block_\(layer + 1).\(words[4]).\(end)" }
      let names = [
        "group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out": "proj_out",
        "query": "q", "key": "k", "value": "v", "proj_attn": "proj_out",
      ]
      return "\(part).mid.attn_1.\(names[words[4]] ?? "?").\(end)"
    }
    let level = Int(words[2]) ?? -1
    let place = part == "encoder" ? "encoder.down.\(level)" : "decoder.up.\(levels - 1 - level)"
    if words[3] == "resnets" {
      let name = words[5] == "conv_shortcut" ? "nin_shortcut" : words[5]
      return "\(place).block.\(words[4]).\(name).\(end)"
    }
    return "\(place).\(part == "encoder" ? "down" : "up")sample.conv.\(end)"
  }

  /// OpenCLIP's name of a tensor of the second text encoder, and which third of it the tensor is.
  public static func openCLIPName(_ key: String) -> (name: String, third: Int?) {
    switch key {
    case "text_projection.weight": return ("text_projection", nil)
    case "text_model.embeddings.token_embedding.weight": return ("token_embedding.weight", nil)
    case "text_model.embeddings.position_embedding.weight": return ("positional_embedding", nil)
    default: break
    }
    let words = key.split(separator: ".").map(String.init)
    let end = words[words.count - 1]
    guard words[1] == "encoder" else { return ("ln_final." + end, nil) }
    let layer = "transformer.resblocks.\(words[3])."
    if let third = ["q_proj", "k_proj", "v_proj"].firstIndex(of: words[5]) {
      return ("\(layer)attn.in_proj_\(end)", third)
    }
    let names = [
      "layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj",
      "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
    ]
    let inside = words[4..<words.count - 1].joined(separator: ".")
    return (layer + (names[inside] ?? "?") + "." + end, nil)
  }
}
