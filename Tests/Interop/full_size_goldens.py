"""Writes golden files of a model at its full size, which the golden suites read in place of the small ones.

The files have the names and keys of Tests/Fixtures, so `ESPALIER_FIXTURES` makes the suites compare with these. All is
computed in f32 with the weights of the model's files. One process per part keeps the peak at what that part takes:

    espalier init-model --preset sdxl-base-1.0 --dtype f16 sdxl-random
    espalier init-model --adapter full_adapter_xl adapter-random
    for part in adapter text vae unet train pipeline; do
      python Tests/Interop/full_size_goldens.py --model sdxl-random --adapter adapter-random \\
        --resolution 512 --out goldens-512 $part
    done
    ESPALIER_FIXTURES=$PWD/goldens-512 ESPALIER_TEST_BACKEND=blas swift test -c release --disable-xctest \\
      --filter 'GoldenTests/|TrainingGoldenTests/.*PyTorch|PipelineGoldenTests/.*Diffusers'

Needs diffusers, transformers, torch, safetensors, pillow; `unet`, `train` and `pipeline` need about 16 GiB at 512.
"""

import argparse
import json
import os

import diffusers
import numpy
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file

PROMPTS = ["a house by the sea, watercolour", "", "red circle with blue background"]
TOKENIZER = {"padding": "max_length", "max_length": 77, "truncation": True, "return_tensors": "pt"}


def draws(seed):
    return torch.Generator().manual_seed(seed)


class Goldens:
    def __init__(self, options):
        self.options = options
        self.side = options.resolution // 8
        #: Sides of the latents of the inputs that are not square.
        self.odd = (options.resolution * 9 // 128, options.resolution * 5 // 128)
        os.makedirs(options.out, exist_ok=True)
        if not os.path.exists(self.path("tiny-sdxl")):
            os.symlink(os.path.abspath(options.model), self.path("tiny-sdxl"))

    def path(self, *names):
        path = os.path.join(self.options.out, *names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def save(self, name, **tensors):
        tensors = {key: value.detach().contiguous().clone() for key, value in tensors.items()}
        save_file(tensors, self.path(name))

    def load(self, kind, folder):
        model = kind.from_pretrained(self.options.model, subfolder=folder, torch_dtype=torch.float32)
        return model.requires_grad_(False).eval()

    def unet_model(self):
        return self.load(diffusers.UNet2DConditionModel, "unet")

    def adapter_model(self):
        adapter = diffusers.T2IAdapter.from_pretrained(self.options.adapter, torch_dtype=torch.float32)
        folder = self.path("adapter_xl")
        if not os.path.exists(folder):
            adapter.save_pretrained(folder)
        return adapter

    def random_adapter(self, name, seed, kind, **changes):
        torch.manual_seed(seed)
        channels = self.unet_config()["block_out_channels"]
        settings = {"in_channels": 3, "channels": channels + channels[-1:], "num_res_blocks": 2}
        adapter = diffusers.T2IAdapter(adapter_type=kind, **{**settings, **changes}).eval()
        adapter.save_pretrained(self.path(name))
        return adapter

    def unet_config(self):
        return diffusers.UNet2DConditionModel.load_config(self.options.model, subfolder="unet")

    def control(self):
        return torch.rand(1, 3, self.options.resolution, self.options.resolution, generator=draws(20))

    def odd_control(self):
        return torch.rand(1, 3, 8 * self.odd[0], 8 * self.odd[1], generator=draws(22))

    def time_ids(self):
        side = float(self.options.resolution)
        return [side, side, 0.0, 0.0, side, side]

    # ---------- the parts

    @torch.no_grad()
    def adapter(self):
        channels = list(self.unet_config()["block_out_channels"])
        first = self.adapter_model()
        second = self.random_adapter("adapter_xl_second", 11, "full_adapter_xl", downscale_factor=16)
        gray = self.random_adapter(
            "adapter_xl_gray", 12, "full_adapter_xl", downscale_factor=16, in_channels=1
        )
        full = self.random_adapter("adapter_full", 13, "full_adapter", downscale_factor=8)
        light = self.random_adapter(
            "adapter_light", 14, "light_adapter", downscale_factor=8, channels=channels, num_res_blocks=4
        )
        control, odd = self.control(), self.odd_control()
        one_channel = control[:, :1].contiguous()
        tensors = {"cond": control, "cond_gray": one_channel, "cond_odd": odd}
        for name, network, image in (
            ("xl", first, control),
            ("second", second, control),
            ("gray", gray, one_channel),
            ("odd", first, odd),
            ("full", full, control),
            ("light", light, control),
        ):
            tensors |= {f"{name}.{k}": feature for k, feature in enumerate(network(image))}
        both = diffusers.MultiAdapter([first, second])([control, control], [0.7, 0.4])
        tensors |= {f"multi.{k}": feature for k, feature in enumerate(both)}
        self.save("adapter.safetensors", **tensors)

    @torch.no_grad()
    def text(self):
        ids = [
            transformers.CLIPTokenizer.from_pretrained(self.options.model, subfolder=folder)(
                PROMPTS, **TOKENIZER
            ).input_ids
            for folder in ("tokenizer", "tokenizer_2")
        ]
        first = self.load(transformers.CLIPTextModel, "text_encoder")
        second = self.load(transformers.CLIPTextModelWithProjection, "text_encoder_2")
        one = first(ids[0], output_hidden_states=True)
        two = second(ids[1], output_hidden_states=True)
        self.save(
            "text.safetensors",
            ids_1=ids[0],
            ids_2=ids[1],
            hidden_1_penultimate=one.hidden_states[-2],
            hidden_2_penultimate=two.hidden_states[-2],
            pooled=two.text_embeds,
            last_1=one.last_hidden_state,
            last_2=two.last_hidden_state,
            **{f"hidden_1_{k}": state[:2] for k, state in enumerate(one.hidden_states)},
        )

    @torch.no_grad()
    def vae(self):
        vae = self.load(diffusers.AutoencoderKL, "vae")
        resolution = self.options.resolution
        pixels = torch.rand(1, 3, resolution, resolution, generator=draws(30)) * 2 - 1
        latents = torch.randn(1, 4, self.side, self.side, generator=draws(31))
        odd = torch.rand(1, 3, 8 * self.odd[0], 8 * self.odd[1], generator=draws(32)) * 2 - 1
        distribution = vae.encode(pixels).latent_dist
        self.save(
            "vae.safetensors",
            pixels=pixels,
            mean=distribution.mean,
            logvar=distribution.logvar,
            std=distribution.std,
            sample_seed7=distribution.sample(draws(7)),
            latents=latents,
            decoded=vae.decode(latents).sample,
            pixels_odd=odd,
            mean_odd=vae.encode(odd).latent_dist.mean,
        )

    @torch.no_grad()
    def unet(self):
        adapter = self.adapter_model()
        residuals, odd_residuals = adapter(self.control()), adapter(self.odd_control())
        unet = self.unet_model()
        config = unet.config
        pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
        latents = torch.randn(1, 4, self.side, self.side, generator=draws(40))
        odd = torch.randn(1, 4, *self.odd, generator=draws(43))
        times = torch.tensor([981])
        text = torch.randn(1, 77, config.cross_attention_dim, generator=draws(41))
        embeds = torch.randn(1, pooled, generator=draws(42))
        ids = torch.tensor([self.time_ids()])

        def predict(sample, time, features):
            extra = {} if features is None else {
                "down_intrablock_additional_residuals": [feature.clone() for feature in features]
            }
            return unet(
                sample,
                time,
                encoder_hidden_states=text,
                added_cond_kwargs={"text_embeds": embeds, "time_ids": ids},
                **extra,
            ).sample

        plain, adapted = predict(latents, times, None), predict(latents, times, residuals)
        activations = {}

        def record(name, module):
            def hook(_, __, output):
                activations[name] = output[0] if isinstance(output, tuple) else output

            module.register_forward_hook(hook)

        record("conv_in", unet.conv_in)
        record("time_embedding", unet.time_embedding)
        record("add_embedding", unet.add_embedding)
        record("mid", unet.mid_block)
        for k, block in enumerate(unet.down_blocks):
            record(f"down.{k}", block)
        for k, block in enumerate(unet.up_blocks):
            record(f"up.{k}", block)
        odd_output = predict(odd, torch.tensor([500]), odd_residuals)
        self.save(
            "unet.safetensors",
            latents=latents,
            timesteps=times,
            encoder_hidden_states=text,
            text_embeds=embeds,
            time_ids=ids,
            out_plain=plain,
            out_adapter=adapted,
            latents_odd=odd,
            out_odd=odd_output,
            **{f"residual.{k}": feature for k, feature in enumerate(residuals)},
            **{f"act.{name}": value for name, value in activations.items()},
        )

    def train(self):
        """Optimizer steps of two micro-batches of one picture, with the reference script's objective."""
        adapter, unet = self.adapter_model().train(), self.unet_model()
        config, steps, resolution = unet.config, self.options.steps, self.options.resolution
        scheduler = diffusers.EulerDiscreteScheduler.from_pretrained(
            self.options.model, subfolder="scheduler"
        )
        optimizer = torch.optim.AdamW(
            adapter.parameters(), lr=1e-3, betas=(0.9, 0.999), weight_decay=1e-2, eps=1e-8
        )
        rates = diffusers.optimization.get_scheduler(
            "cosine", optimizer, num_warmup_steps=3, num_training_steps=steps
        )
        pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
        record, losses, norms, rate_list = {}, [], [], []
        for step in range(steps):
            optimizer.zero_grad()
            total = 0.0
            for micro in range(2):
                n = step * 2 + micro
                generator = draws(100 + n)
                latents = torch.randn(1, 4, self.side, self.side, generator=generator) * 0.9
                noise = torch.randn(1, 4, self.side, self.side, generator=generator)
                u = torch.rand(1, generator=generator)
                control = torch.rand(1, 3, resolution, resolution, generator=generator)
                control = (control > 0.97).float()
                text = torch.randn(1, 77, config.cross_attention_dim, generator=generator)
                embeds = torch.randn(1, pooled, generator=generator)
                times = ((1 - u**3) * 1000).long().to(scheduler.timesteps.dtype).clamp(0, 999)
                noisy = scheduler.add_noise(latents, noise, times)
                index = [(scheduler.timesteps == time).nonzero().item() for time in times]
                sigmas = scheduler.sigmas[index].flatten()[:, None, None, None]
                prediction = unet(
                    noisy / ((sigmas**2 + 1) ** 0.5),
                    times,
                    encoder_hidden_states=text,
                    added_cond_kwargs={
                        "text_embeds": embeds,
                        "time_ids": torch.tensor([self.time_ids()]),
                    },
                    down_intrablock_additional_residuals=adapter(control),
                ).sample
                denoised = prediction * (-sigmas) + noisy
                loss = (sigmas**-2.0 * (denoised - latents) ** 2).mean()
                (loss / 2).backward()
                total += loss.item() / 2
                if n < 2:
                    record |= {
                        f"{n}.latents": latents,
                        f"{n}.noise": noise,
                        f"{n}.u": u,
                        f"{n}.cond": control,
                        f"{n}.encoder_hidden_states": text,
                        f"{n}.text_embeds": embeds,
                        f"{n}.timesteps": times,
                        f"{n}.loss": loss,
                    }
                print(f"micro-batch {n}: loss {loss.item()}", flush=True)
            if step == 0:
                self.save(
                    "train_grads_step0.safetensors",
                    **{name: parameter.grad for name, parameter in adapter.named_parameters()},
                )
            norms.append(torch.nn.utils.clip_grad_norm_(adapter.parameters(), 1.0).item())
            optimizer.step()
            rate_list.append(rates.get_last_lr()[0])
            rates.step()
            losses.append(total)
            if step in (0, steps - 1):
                self.save(
                    f"train_params_after_{step + 1}.safetensors", **dict(adapter.named_parameters())
                )
        self.save("train_draws.safetensors", **record)
        ids = ",".join(str(int(value)) for value in self.time_ids())
        document = {
            "draws": f"torch.Generator().manual_seed(1000*S+100+n) for micro-batch n, S=0: as in "
            f"make_fixtures.py, one picture of {resolution}; time_ids all [{ids}]",
            "loss": losses,
            "grad_norm_before_clip": norms,
            "lr": rate_list,
        }
        with open(self.path("train.json"), "w") as file:
            json.dump(document, file, indent=1)

    def pipeline(self):
        """A whole generation, as `espalier generate` does it."""
        resolution, seed, steps = self.options.resolution, 7, 2
        image = (self.control()[0].permute(1, 2, 0).numpy() > 0.97).astype(numpy.uint8) * 255
        image = Image.fromarray(image)
        image.save(self.path("images", "condition.png"))
        pipe = diffusers.StableDiffusionXLAdapterPipeline.from_pretrained(
            self.options.model, adapter=self.adapter_model(), torch_dtype=torch.float32
        )
        settings = {"prompt": PROMPTS[0], "num_inference_steps": steps, "guidance_scale": 5.0}
        latents = pipe(
            image=image, generator=torch.manual_seed(seed), output_type="latent", **settings
        ).images
        with torch.no_grad():
            decoded = pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample
        pictures = pipe.image_processor.postprocess(decoded, output_type="np")
        self.save("pipeline/euler.safetensors", latents=latents, image=torch.from_numpy(pictures))
        picture = Image.fromarray((pictures[0] * 255).round().astype(numpy.uint8))
        picture.save(self.path("pipeline", "euler.png"))
        case = {
            "name": "euler",
            "scheduler": "EulerDiscreteScheduler",
            "scheduler_config": {k: v for k, v in pipe.scheduler.config.items() if k[0] != "_"},
            "seed": seed,
            "height": resolution,
            "width": resolution,
            **settings,
        }
        with open(self.path("pipeline.json"), "w") as file:
            json.dump({"cases": [case]}, file, indent=1, default=str)


def main():
    parts = ["adapter", "text", "vae", "unet", "train", "pipeline"]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=parts)
    for name in ("model", "adapter", "out"):
        parser.add_argument("--" + name, required=True, metavar="FOLDER")
    parser.add_argument("--resolution", type=int, default=512, help="a multiple of 256")
    parser.add_argument("--steps", type=int, default=3, help="optimizer steps of train")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    getattr(Goldens(options), options.part)()


if __name__ == "__main__":
    main()
