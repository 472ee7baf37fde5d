extension CLIPTextConfiguration {
  /// The names of both kinds of text encoder in single files: SDXL's first one as Transformers names it, its
  /// second one as OpenCLIP does, which keeps the three projections of an attention in one tensor and the
  /// last projection the other way round.
  ///
  /// Source: OpenCLIP `src/open_clip/transformer.py`, `ResidualAttentionBlock`; Diffusers
  /// `loaders/single_file_utils.py`, `convert_open_clip_checkpoint`.
  public var originalNames: OriginalNames {
    var names = OriginalNames()
    names.add("text_model", "text_model")
    names.ignore("text_model.embeddings.position_ids")
    names.ignore("logit_scale")
    names.add("token_embedding", "text_model.embeddings.token_embedding")
    names.add("positional_embedding", "text_model.embeddings.position_embedding.weight")
    names.add("ln_final", "text_model.final_layer_norm")
    names.add("text_projection", "text_projection.weight", .transposed)
    names.add("text_projection.weight", "text_projection.weight")
    for layer in 0..<numHiddenLayers {
      let (original, key) = (
        "transformer.resblocks.\(layer)", "text_model.encoder.layers.\(layer)"
      )
      names.add(
        original, key,
        names: [
          "ln_1": "layer_norm1", "attn.out_proj": "self_attn.out_proj", "ln_2": "layer_norm2",
          "mlp.c_fc": "mlp.fc1", "mlp.c_proj": "mlp.fc2",
        ])
      for (index, projection) in ["q_proj", "k_proj", "v_proj"].enumerated() {
        for part in ["weight", "bias"] {
          names.add(
            "\(original).attn.in_proj_\(part)", "\(key).self_attn.\(projection).\(part)",
            .rows(index, of: 3))
        }
      }
    }
    return names
  }
}
