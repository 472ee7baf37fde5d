"""Writes original_names.json: how SDXL's single file names every tensor of the four networks.

The names are found by trial: every name that the authors' modules could have is given to Diffusers' own converters
(loaders/single_file_utils.py), and kept if it comes out as a tensor of tensors.json. Each record is
[name in the file, component, Diffusers' key, form]; form is "" (as it is), "0/3" (the first of three parts one
below the other), "T" (transposed) or "1x1" (a kernel of a 1×1 convolution in the file, a matrix in Diffusers).

Run with Diffusers 0.42.1 and PyTorch: python make_original_names.py
"""

import itertools
import json
import pathlib
import types

import torch
from diffusers.loaders import single_file_utils as converters

here = pathlib.Path(__file__).parent
sdxl = here.parent.parent / "Sources" / "CEspalierPresets" / "sdxl-base-1.0"


def tensors(component):
  return json.loads((here / component / "tensors.json").read_text())


def config(component):
  return json.loads((sdxl / component / "config.json").read_text())


def trial(component, prefix, names, convert):
  """Gives the names to the converter and keeps those that come out as tensors of the component."""
  wanted = tensors(component)
  found = {}
  whole = {prefix + name: torch.tensor([float(i)]) for i, name in enumerate(names)}
  for key, value in convert(whole).items():
    if key in wanted:
      found[key] = names[int(value.reshape(-1)[0])]
  missing = set(wanted) - set(found)
  assert not missing, sorted(missing)[:5]
  return [[prefix + name, component, key, ""] for key, name in found.items()]


def with_parts(stems):
  return [stem + part for stem in stems for part in (".weight", ".bias")]


def unet():
  resnet = ["in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0", "out_layers.3", "skip_connection"]
  block = ["attn%d.to_%s" % (a, p) for a in (1, 2) for p in ("q", "k", "v", "out.0")]
  block += ["norm1", "norm2", "norm3", "ff.net.0.proj", "ff.net.2"]
  transformer = ["norm", "proj_in", "proj_out"]
  transformer += ["transformer_blocks.%d.%s" % (d, b) for d in range(10) for b in block]
  stems = ["time_embed.0", "time_embed.2", "label_emb.0.0", "label_emb.0.2", "out.0", "out.2", "input_blocks.0.0"]
  places = ["input_blocks.%d" % i for i in range(1, 9)] + ["output_blocks.%d" % i for i in range(9)]
  for place in places:
    stems += ["%s.0.%s" % (place, s) for s in resnet] + ["%s.0.op" % place]
    stems += ["%s.1.%s" % (place, s) for s in transformer]
    # The convolution after enlarging stands behind the transformer.
    stems += ["%s.2.conv" % place]
  for place, part in ((0, resnet), (1, transformer), (2, resnet)):
    stems += ["middle_block.%d.%s" % (place, s) for s in part]
  return trial(
    "unet", "model.diffusion_model.", with_parts(stems),
    lambda state: converters.convert_ldm_unet_checkpoint(state, config("unet")))


def vae():
  resnet = ["norm1", "conv1", "norm2", "conv2", "nin_shortcut"]
  stems = ["quant_conv", "post_quant_conv"]
  for part, levels in (("encoder", "down"), ("decoder", "up")):
    stems += ["%s.%s" % (part, s) for s in ("conv_in", "norm_out", "conv_out")]
    stems += ["%s.mid.block_%d.%s" % (part, i, s) for i in (1, 2) for s in resnet]
    stems += ["%s.mid.attn_1.%s" % (part, s) for s in ("norm", "q", "k", "v", "proj_out")]
    for level, layer in itertools.product(range(4), range(3)):
      stems += ["%s.%s.%d.block.%d.%s" % (part, levels, level, layer, s) for s in resnet]
    stems += ["%s.%s.%d.%ssample.conv" % (part, levels, level, levels) for level in range(4)]
  records = trial(
    "vae", "first_stage_model.", with_parts(stems),
    lambda state: converters.convert_ldm_vae_checkpoint(state, config("vae")))
  for record in records:
    if ".attn_1." in record[0] and record[0].endswith("weight") and ".norm." not in record[0]:
      record[3] = "1x1"
  return records


def text_encoder():
  prefix = "conditioner.embedders.0.transformer."
  wanted = tensors("text_encoder")
  names = [key if key.startswith("text_model.") else "text_model." + key for key in wanted]
  converted = converters.convert_ldm_clip_checkpoint({prefix + name: name for name in names})
  return [[prefix + name, "text_encoder", key, ""] for key, name in converted.items()]


def text_encoder_2():
  prefix = "conditioner.embedders.1.model."
  size = 4
  stems = ["token_embedding.weight", "positional_embedding", "ln_final.weight", "ln_final.bias"]
  for layer in range(32):
    place = "transformer.resblocks.%d." % layer
    stems += [place + s for s in with_parts(["ln_1", "ln_2", "attn.out_proj", "mlp.c_fc", "mlp.c_proj"])]
  state = {prefix + name: torch.tensor([float(i)]) for i, name in enumerate(stems)}
  matrix = torch.arange(size * size).reshape(size, size)
  state[prefix + "text_projection"] = matrix
  for layer in range(32):
    for part, shape in (("weight", (3 * size, 2)), ("bias", (3 * size,))):
      name = prefix + "transformer.resblocks.%d.attn.in_proj_%s" % (layer, part)
      state[name] = torch.arange(3 * size).reshape(-1, *[1] * (len(shape) - 1)).expand(shape) + 1000 * layer
  model = types.SimpleNamespace(config=types.SimpleNamespace(hidden_size=size))
  records = []
  for key, value in converters.convert_open_clip_checkpoint(model, state, prefix).items():
    if key == "text_projection.weight":
      assert torch.equal(value, matrix.T)
      records.append([prefix + "text_projection", "text_encoder_2", key, "T"])
    elif "_proj." in key and "out_proj" not in key:
      layer, row = divmod(int(value.reshape(-1)[0]), 1000)
      name = "transformer.resblocks.%d.attn.in_proj_%s" % (layer, key.rsplit(".", 1)[1])
      records.append([prefix + name, "text_encoder_2", key, "%d/3" % (row // size)])
    else:
      records.append([prefix + stems[int(value[0])], "text_encoder_2", key, ""])
  assert {record[2] for record in records} == set(tensors("text_encoder_2"))
  return records


records = unet() + vae() + text_encoder() + text_encoder_2()
lines = ",\n".join(json.dumps(record) for record in sorted(records))
(here / "original_names.json").write_text("[\n" + lines + "\n]\n")
print(len(records), "tensors,", len({record[0] for record in records}), "in the file")
