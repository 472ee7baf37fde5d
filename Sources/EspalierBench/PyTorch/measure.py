"""Measures one piece of work of `espalier bench` in PyTorch and Diffusers, and prints JSON.

Started by it with the same options as its own `measure`; inputs are those of Waves.swift, repetitions those of
RepetitionPlan.swift. Results are written in that program's layouts, channels last. Work that cannot fit into memory is
not begun: then the JSON says why.
"""

import argparse
import functools
import json
import time

import numpy
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

SAMPLE, TARGET, HIDDEN_STATES, POOLED, CONTROL, FEATURE, PARAMETER = range(7)
TOKENS = 77
GIB = 2**30


def status(path, key):
    """A number of bytes from a file of /proc."""
    with open(path) as lines:
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key + ":"))


def peak_bytes():
    """The most that was resident; not of the process that started this one, as getrusage would count."""
    return status("/proc/self/status", "VmHWM")


class DoesNotFit(Exception):
    pass


def require(parts):
    """Refuses work whose parts, by name in bytes, are more than the system can give."""
    need, free = sum(parts.values()), status("/proc/meminfo", "MemAvailable")
    if need > free:
        listed = ", ".join(f"{name} {size / GIB:.1f}" for name, size in parts.items())
        raise DoesNotFit(
            f"PyTorch needs at least {need / GIB:.1f} GiB ({listed}), {free / GIB:.1f} are free"
        )


def waves(series, *shape):
    """sin(12.9898 * (i + 1) * (series + 1)), f32."""
    index = numpy.arange(1, int(numpy.prod(shape)) + 1, dtype=numpy.float64)
    values = numpy.sin(12.9898 * index * float(series + 1))
    return torch.from_numpy(values.astype(numpy.float32)).reshape(shape)


def channels_last(tensor):
    return tensor.permute(0, 2, 3, 1)


# ---- Parts of a model. Each function prepares the work and gives two: to do it, and to name what came out. ----


@functools.cache
def diffusers():
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    return diffusers


def unet_config(options):
    return diffusers().UNet2DConditionModel.load_config(options.model, subfolder="unet")


def load(kind, options, folder):
    """A model in f32, frozen."""
    model = kind.from_pretrained(options.model, subfolder=folder, torch_dtype=torch.float32)
    return model.eval().requires_grad_(False)


def new_adapter(levels):
    levels = list(levels)
    return diffusers().T2IAdapter(
        in_channels=3,
        channels=levels + levels[-1:],
        num_res_blocks=2,
        downscale_factor=16,
        adapter_type="full_adapter_xl",
    )


def make_adapter(levels):
    with torch.device("meta"):
        adapter = new_adapter(levels)
    adapter.to_empty(device="cpu")
    with torch.no_grad():
        for parameter in adapter.parameters():
            if parameter.dim() == 4:  # a bias follows its weight and shares its bound
                bound = parameter[0].numel() ** -0.5
            parameter.copy_(waves(PARAMETER, *parameter.shape) * bound)
    return adapter


def feature_shapes(levels, resolution):
    with torch.device("meta"):
        return [map.shape for map in new_adapter(levels)(torch.zeros(1, 3, resolution, resolution))]


def control_images(count, resolution):
    return (waves(CONTROL, count, 3, resolution, resolution) + 1) / 2


def conditions(config, batch, resolution, per_sample):
    """Keyword arguments of the UNet; one text for all samples, or one for each."""
    pooled = config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"]
    count = batch if per_sample else 1
    ids = [float(resolution), float(resolution), 0.0, 0.0, float(resolution), float(resolution)]
    hidden = waves(HIDDEN_STATES, count, TOKENS, config["cross_attention_dim"])
    return {
        "encoder_hidden_states": hidden.expand(batch, -1, -1).contiguous(),
        "added_cond_kwargs": {
            "text_embeds": waves(POOLED, count, pooled).expand(batch, -1).contiguous(),
            "time_ids": torch.tensor([ids] * batch),
        },
    }


def training_need(config, batch, resolution, trains_unet):
    """What a training step needs at least, found by a forward pass on tensors without contents."""
    from torch._subclasses.fake_tensor import FakeTensorMode

    levels = config["block_out_channels"]
    with FakeTensorMode():
        unet = diffusers().UNet2DConditionModel.from_config(config).requires_grad_(trains_unet)
        weights = {parameter.untyped_storage()._cdata for parameter in unet.parameters()}
        saved = {}

        def pack(tensor):
            storage = tensor.untyped_storage()
            if storage._cdata not in weights:
                saved[storage._cdata] = storage  # held, so that no other takes its place
            return tensor

        side = resolution // 8
        features = [
            torch.zeros(batch, *shape[1:], requires_grad=True)
            for shape in feature_shapes(levels, resolution)
        ]
        sizes = conditions_shapes(config, batch)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            unet(
                torch.zeros(batch, config["in_channels"], side, side),
                torch.zeros(batch),
                down_intrablock_additional_residuals=features,
                **sizes,
            )
        numbers = sum(parameter.numel() for parameter in unet.parameters())
        activations = sum(storage.nbytes() for storage in saved.values())
    with torch.device("meta"):
        adapter = sum(parameter.numel() for parameter in new_adapter(levels).parameters())
    parts = {"UNet": 4 * numbers}
    if trains_unet:
        parts["its gradients"] = 4 * numbers
    return parts | {"activations for the backward pass": activations, "adapter": 16 * adapter}


def conditions_shapes(config, batch):
    pooled = config["projection_class_embeddings_input_dim"] - 6 * config["addition_time_embed_dim"]
    return {
        "encoder_hidden_states": torch.zeros(batch, TOKENS, config["cross_attention_dim"]),
        "added_cond_kwargs": {
            "text_embeds": torch.zeros(batch, pooled),
            "time_ids": torch.zeros(batch, 6),
        },
    }


def training_step(batch, variant):
    trains_unet = variant == "reference"

    def make(options):
        config = unet_config(options)
        if variant != "checkpointing":
            require(training_need(config, batch, options.resolution, trains_unet))
        unet = load(diffusers().UNet2DConditionModel, options, "unet").train()  # it has no dropout
        unet.requires_grad_(trains_unet)
        if variant == "checkpointing":
            unet.enable_gradient_checkpointing()
        adapter = make_adapter(config["block_out_channels"])
        parameters = list(adapter.parameters())
        optimizer = torch.optim.AdamW(
            parameters, lr=1e-3, betas=(0.9, 0.999), weight_decay=1e-2, eps=1e-8
        )
        side = options.resolution // 8
        latents = (batch, config["in_channels"], side, side)
        sample, target = waves(SAMPLE, *latents), waves(TARGET, *latents)
        control = control_images(batch, options.resolution)
        timesteps = torch.tensor([(k * 137 + 50) % 1000 for k in range(batch)])
        arguments = conditions(config, batch, options.resolution, per_sample=True)
        losses, norms = [], []

        def run():
            prediction = unet(
                sample,
                timesteps,
                down_intrablock_additional_residuals=list(adapter(control)),
                return_dict=False,
                **arguments,
            )[0]
            loss = F.mse_loss(prediction, target)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            norms.append(norm.item())

        return run, lambda: {
            "losses": torch.tensor(losses[:2]),
            "gradient_norms": torch.tensor(norms[:2]),
        }

    return make


def unet_pass(batch):
    def make(options):
        config = unet_config(options)
        unet = load(diffusers().UNet2DConditionModel, options, "unet")
        side = options.resolution // 8
        features = [
            waves(FEATURE, *shape).expand(batch, -1, -1, -1).contiguous()
            for shape in feature_shapes(config["block_out_channels"], options.resolution)
        ]
        sample = waves(SAMPLE, batch, config["in_channels"], side, side)
        arguments = conditions(config, batch, options.resolution, per_sample=False)

        def run():
            return unet(
                sample,
                500,
                down_intrablock_additional_residuals=list(features),
                return_dict=False,
                **arguments,
            )[0]

        return kept(run, lambda prediction: {"prediction": channels_last(prediction)})

    return make


def vae_decode(options):
    vae = load(diffusers().AutoencoderKL, options, "vae")
    side = options.resolution // 8
    latents = waves(SAMPLE, 1, vae.config.latent_channels, side, side)

    def run():
        pixels = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
        return (pixels / 2 + 0.5).clamp(0, 1)

    return kept(run, lambda pixels: {"pixels": channels_last(pixels)[0]})


def vae_encode(options):
    vae = load(diffusers().AutoencoderKL, options, "vae")
    pixels = waves(SAMPLE, 1, 3, options.resolution, options.resolution)

    def run():
        return vae.encode(pixels, return_dict=False)[0].mean

    return kept(run, lambda mean: {"mean": channels_last(mean)})


def token_ids(config):
    """A start, words, and the end in all that is left."""
    end = config.vocab_size - 1
    count = config.max_position_embeddings
    ids = [end - 1] + [k * 37 % config.vocab_size for k in range(1, 8)]
    return torch.tensor([(ids + [end] * count)[:count]])


def text_encoders(options):
    import transformers

    models = [
        load(transformers.CLIPTextModel, options, "text_encoder"),
        load(transformers.CLIPTextModelWithProjection, options, "text_encoder_2"),
    ]
    ids = [token_ids(model.config) for model in models]

    def run():
        results = {}
        for k, model in enumerate(models):
            output = model(ids[k], output_hidden_states=True)
            results[f"hidden.{k}"] = output.hidden_states[-2]
            if hasattr(output, "text_embeds"):
                results[f"pooled.{k}"] = output.text_embeds
        return results

    return kept(run, lambda results: results)


def adapter(options):
    levels = unet_config(options)["block_out_channels"]
    network = make_adapter(levels)
    control = control_images(1, options.resolution)
    targets = [waves(TARGET, *shape) for shape in feature_shapes(levels, options.resolution)]

    def run():
        for parameter in network.parameters():
            parameter.grad = None
        losses = [F.mse_loss(map, target) for map, target in zip(network(control), targets)]
        sum(losses).backward()

    return run, lambda: {name: parameter.grad for name, parameter in network.named_parameters()}


def kept(run, results):
    """Work without gradients whose last outcome is kept."""
    last = []

    def run_and_keep():
        last.clear()
        with torch.inference_mode():
            last.append(run())

    return run_and_keep, lambda: results(last[0])


# ---- Single operations: functions of their sizes that give the work, and its outcome in the other layout. ----


def channels_first(tensor):
    """As PyTorch lays maps out, from the same numbers."""
    return tensor.permute(0, 3, 1, 2).contiguous()


def half(tensor):
    """The numbers that a weight has in f16."""
    return tensor.half().float()


def linear(rows, outputs, inputs):
    x = waves(SAMPLE, rows, inputs)
    w = half(waves(PARAMETER, outputs, inputs) * inputs**-0.5)
    b = half(waves(TARGET, outputs))
    return lambda: F.linear(x, w, b), lambda y: y


def conv2d(batch, side, inputs, outputs):
    x = channels_first(waves(SAMPLE, batch, side, side, inputs))
    w = half(waves(PARAMETER, outputs, inputs, 3, 3) * (9 * inputs) ** -0.5)
    b = half(waves(TARGET, outputs))
    return lambda: F.conv2d(x, w, b, padding=1), channels_last


def attention(batch, queries, keys, heads, width):
    def heads_first(series, tokens):
        return waves(series, batch, tokens, heads, width).transpose(1, 2)

    q, k, v = heads_first(SAMPLE, queries), heads_first(HIDDEN_STATES, keys), heads_first(FEATURE, keys)
    return lambda: F.scaled_dot_product_attention(q, k, v), lambda y: y.transpose(1, 2).flatten(2)


def group_norm(batch, pixels, channels):
    x = waves(SAMPLE, batch, pixels, channels).transpose(1, 2).contiguous()
    w, b = half(waves(PARAMETER, channels)), half(waves(TARGET, channels))
    return lambda: F.silu(F.group_norm(x, 32, w, b, 1e-5)), lambda y: y.transpose(1, 2)


def layer_norm(rows, features):
    x = waves(SAMPLE, rows, features)
    w, b = half(waves(PARAMETER, features)), half(waves(TARGET, features))
    return lambda: F.layer_norm(x, (features,), w, b, 1e-5), lambda y: y


def geglu(rows, features):
    x = waves(SAMPLE, rows, 2 * features)

    def run():
        value, gate = x.chunk(2, dim=-1)
        return value * F.gelu(gate)

    return run, lambda y: y


OPERATIONS = {
    "linear": linear,
    "conv2d": conv2d,
    "attention": attention,
    "group-norm": group_norm,
    "layer-norm": layer_norm,
    "geglu": geglu,
}


def operation(name, sizes):
    def make(_):
        run, layout = OPERATIONS[name](*sizes)
        return kept(run, lambda y: {"y": layout(y)})

    return make


# ---- The program. ----

PARTS = {
    "vae-decode": vae_decode,
    "vae-encode": vae_encode,
    "text-encoders": text_encoders,
    "adapter": adapter,
}


def work_named(name):
    """`unet-2`, `training-step-1-reference`, `linear:4096x640x640`, as Work.swift spells them."""
    if ":" not in name:
        diffusers()  # belongs to what is resident before a model is opened
    if name in PARTS:
        return PARTS[name]
    if name.startswith("unet-"):
        return unet_pass(int(name.removeprefix("unet-")))
    if name.startswith("training-step-"):
        batch, _, variant = name.removeprefix("training-step-").partition("-")
        return training_step(int(batch), variant)
    kind, sizes = name.split(":")
    return operation(kind, [int(size) for size in sizes.split("x")])


def repeat(run, seconds, most):
    """Milliseconds and processor milliseconds of the repetitions that count, as RepetitionPlan.swift says."""
    timings, warm, warm_ups, warm_up_seconds = [], False, 0, 0.0
    while len(timings) < most and not (
        len(timings) >= 2 and sum(elapsed for elapsed, _ in timings) >= 1000 * seconds
    ):
        start, cpu_start = time.perf_counter(), time.process_time()
        run()
        elapsed, cpu = time.perf_counter() - start, time.process_time() - cpu_start
        if warm:
            timings.append((1000 * elapsed, 1000 * cpu))
            continue
        warm_ups += 1
        warm_up_seconds += elapsed
        if warm_ups == 1 and elapsed > seconds:
            timings.append((1000 * elapsed, 1000 * cpu))
            warm = True
        else:
            warm = warm_ups == 3 or warm_up_seconds >= 0.2 * seconds
    return timings


def measure(options):
    start_bytes = peak_bytes()
    run, results = options.work(options)
    timings = repeat(run, options.seconds, options.repetitions)
    peak = peak_bytes()
    tensors = {name: tensor.detach().contiguous() for name, tensor in results().items()}
    save_file(tensors, options.results)
    program = f"PyTorch {torch.__version__}"
    if diffusers.cache_info().currsize:
        program += f", Diffusers {diffusers().__version__}"
    return {
        "program": program,
        "milliseconds": [elapsed for elapsed, _ in timings],
        "cpuMilliseconds": [cpu for _, cpu in timings],
        "peakMemoryBytes": peak,
        "startMemoryBytes": start_bytes,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", type=work_named, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--results", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    for name in ("resolution", "repetitions", "threads"):
        parser.add_argument("--" + name, type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    try:
        answer = measure(options)
    except DoesNotFit as reason:
        answer = {"refusal": str(reason)}
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
