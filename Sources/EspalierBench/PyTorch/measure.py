"""Measures one piece of work of espalier-bench in PyTorch and Diffusers, and prints JSON.

Started by espalier-bench with the same options as its own `measure`; inputs are those of Waves.swift.
"""

import argparse
import json
import resource
import time

import diffusers
import numpy
import torch

SAMPLE, TARGET, HIDDEN_STATES, POOLED, CONTROL, FEATURE, PARAMETER = range(7)
TOKENS = 77


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def waves(series, *shape):
    """sin(12.9898 * (i + 1) * (series + 1)), f32."""
    index = numpy.arange(1, int(numpy.prod(shape)) + 1, dtype=numpy.float64)
    values = numpy.sin(12.9898 * index * float(series + 1))
    return torch.from_numpy(values.astype(numpy.float32)).reshape(shape)


def load_unet(options):
    unet = diffusers.UNet2DConditionModel.from_pretrained(
        options.model, subfolder="unet", torch_dtype=torch.float32, low_cpu_mem_usage=False
    )
    return unet.requires_grad_(False)


def make_adapter(unet):
    levels = list(unet.config.block_out_channels)
    adapter = diffusers.T2IAdapter(
        in_channels=3,
        channels=levels + levels[-1:],
        num_res_blocks=2,
        downscale_factor=16,
        adapter_type="full_adapter_xl",
    )
    with torch.no_grad():
        for parameter in adapter.parameters():
            if parameter.dim() == 4:  # a bias follows its weight and shares its bound
                bound = parameter[0].numel() ** -0.5
            parameter.copy_(waves(PARAMETER, *parameter.shape) * bound)
    return adapter


def conditions(unet, batch, resolution, per_sample):
    """Keyword arguments of the UNet; one text for all samples, or one for each."""
    config = unet.config
    pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
    cross = config.cross_attention_dim
    count = batch if per_sample else 1
    ids = [float(resolution), float(resolution), 0.0, 0.0, float(resolution), float(resolution)]
    hidden = waves(HIDDEN_STATES, count, TOKENS, cross).expand(batch, -1, -1).contiguous()
    return {
        "encoder_hidden_states": hidden,
        "added_cond_kwargs": {
            "text_embeds": waves(POOLED, count, pooled).expand(batch, -1).contiguous(),
            "time_ids": torch.tensor([ids] * batch),
        },
    }


def training_step(options):
    unet = load_unet(options)
    adapter = make_adapter(unet)
    if options.gradient_checkpointing:
        unet.enable_gradient_checkpointing()
        unet.train()  # Diffusers recomputes in training mode; the model has no dropout
    parameters = list(adapter.parameters())
    optimizer = torch.optim.AdamW(
        parameters, lr=1e-3, betas=(0.9, 0.999), weight_decay=1e-2, eps=1e-8
    )
    batch, side = options.batch_size, options.resolution // 8
    latents = (batch, unet.config.in_channels, side, side)
    sample, target = waves(SAMPLE, *latents), waves(TARGET, *latents)
    control = (waves(CONTROL, batch, 3, options.resolution, options.resolution) + 1) / 2
    timesteps = torch.tensor([(k * 137 + 50) % 1000 for k in range(batch)])
    arguments = conditions(unet, batch, options.resolution, per_sample=True)

    def run():
        prediction = unet(
            sample,
            timesteps,
            down_intrablock_additional_residuals=list(adapter(control)),
            return_dict=False,
            **arguments,
        )[0]
        loss = ((prediction.float() - target.float()) ** 2).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss.item()

    return run, lambda results: [results[0], results[-1]]


def unet_pass(batch):
    def make(options):
        unet = load_unet(options)
        side = options.resolution // 8
        with torch.no_grad():
            control = torch.zeros(1, 3, options.resolution, options.resolution)
            shapes = [feature.shape for feature in make_adapter(unet)(control)]
        features = [waves(FEATURE, *shape).expand(batch, -1, -1, -1).contiguous() for shape in shapes]
        sample = waves(SAMPLE, batch, unet.config.in_channels, side, side)
        arguments = conditions(unet, batch, options.resolution, per_sample=False)

        @torch.no_grad()
        def run():
            return unet(
                sample,
                500,
                down_intrablock_additional_residuals=[f.clone() for f in features],
                return_dict=False,
                **arguments,
            )[0]

        return run, lambda results: [results[-1].double().square().mean().item()]

    return make


def vae_decode(options):
    vae = diffusers.AutoencoderKL.from_pretrained(
        options.model, subfolder="vae", torch_dtype=torch.float32, low_cpu_mem_usage=False
    )
    side = options.resolution // 8
    latents = waves(SAMPLE, 1, vae.config.latent_channels, side, side)

    @torch.no_grad()
    def run():
        pixels = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
        return (pixels / 2 + 0.5).clamp(0, 1)

    return run, lambda results: [results[-1].double().square().mean().item()]


WORKS = {
    "training-step": training_step,
    "unet-2": unet_pass(2),
    "unet-16": unet_pass(16),
    "vae-decode": vae_decode,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--work", choices=WORKS, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--gradient-checkpointing", action="store_true")
    for name in ("batch-size", "resolution", "repetitions", "warmup", "threads"):
        parser.add_argument("--" + name, type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    start_bytes = peak_bytes()
    run, summary = WORKS[options.work](options)
    results, milliseconds, cpu_milliseconds = [], [], []
    for repetition in range(options.warmup + options.repetitions):
        start, cpu_start = time.perf_counter(), time.process_time()
        result = run()
        elapsed = time.perf_counter() - start
        cpu_elapsed = time.process_time() - cpu_start
        # The first and the last result are enough; more would only hold memory.
        results = results[:1] + [result]
        if repetition >= options.warmup:
            milliseconds.append(1000 * elapsed)
            cpu_milliseconds.append(1000 * cpu_elapsed)
    print(
        json.dumps(
            {
                "program": f"PyTorch {torch.__version__}, Diffusers {diffusers.__version__}",
                "milliseconds": milliseconds,
                "cpuMilliseconds": cpu_milliseconds,
                "peakMemoryBytes": peak_bytes(),
                "startMemoryBytes": start_bytes,
                "results": summary(results),
            }
        )
    )


if __name__ == "__main__":
    main()
