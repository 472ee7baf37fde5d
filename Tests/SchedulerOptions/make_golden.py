"""Golden values of Diffusers' schedulers with settings that ../Fixtures/schedulers.json leaves out.

Usage: make_golden.py OUT.json   (diffusers 0.42.1, torch 2.13.0, scipy)

The fake model and the draws are those of ../Fixtures/make_fixtures.py, for samples of 16 values: x0 from seed 61,
noise from a generator of seed 60. Each case holds timesteps, sigmas (where the class has them) and the last sample.
"""
import inspect, json, logging, sys, warnings
import diffusers, torch

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)

SDXL = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
KARRAS, EXPONENTIAL, BETA = ({f"use_{n}_sigmas": True} for n in ("karras", "exponential", "beta"))
V, SAMPLE = {"prediction_type": "v_prediction"}, {"prediction_type": "sample"}
LEADING, TRAILING = {"timestep_spacing": "leading", "steps_offset": 1}, {"timestep_spacing": "trailing"}
LINSPACE = {"timestep_spacing": "linspace"}
ZERO_SNR, SIGMA_MIN = {"rescale_betas_zero_snr": True}, {"final_sigmas_type": "sigma_min"}
RANGE = {"sigma_min": 0.05, "sigma_max": 12.0}
BETAS = {"num_train_timesteps": 12, "trained_betas": [0.01 * (k + 1) for k in range(12)]}
TRAINED = [
    ({"beta_schedule": "linear", "beta_start": 0.0002, "beta_end": 0.015}, 5), (BETAS, 4),
    ({"beta_schedule": "squaredcos_cap_v2", "num_train_timesteps": 200}, 6),
]
SPACINGS = [(KARRAS | RANGE, 6), (EXPONENTIAL | TRAILING, 5), (BETA | LEADING | V, 7)]

CASES = {
    "EulerDiscreteScheduler": TRAINED + SPACINGS + [
        (EXPONENTIAL | SIGMA_MIN | RANGE, 5), (SAMPLE | TRAILING | ZERO_SNR, 5),
        ({"interpolation_type": "log_linear"} | V, 5), ({"timestep_type": "continuous"} | V | KARRAS, 5)],
    "EulerAncestralDiscreteScheduler": TRAINED + [(V | TRAILING | ZERO_SNR, 6), (LEADING, 5)],
    "HeunDiscreteScheduler": TRAINED + SPACINGS + [
        ({"beta_schedule": "exp"}, 5), ({"clip_sample": True, "clip_sample_range": 1.5} | SAMPLE, 5), (TRAILING | V, 1)],
    "LMSDiscreteScheduler": TRAINED + [(KARRAS, 6), (EXPONENTIAL | RANGE, 5), (BETA | LEADING | V, 7), (TRAILING | SAMPLE, 9)],
    "KDPM2DiscreteScheduler": TRAINED[:2] + SPACINGS + [(TRAILING | V, 6)],
    "KDPM2AncestralDiscreteScheduler": TRAINED[:2] + SPACINGS + [(TRAILING | V, 6)],
    "DDIMScheduler": TRAINED + [
        (V | TRAILING | ZERO_SNR, 6), ({"eta": 0.5, "clip_sample": False} | LEADING, 7),
        ({"eta": 1.0, "set_alpha_to_one": False} | SAMPLE | LINSPACE, 5), ({"clip_sample_range": 2.0}, 5)],
    "DDPMScheduler": TRAINED + [
        ({"beta_schedule": "sigmoid", "clip_sample": False}, 5), ({"beta_schedule": "laplace"} | V, 5),
        ({"variance_type": "fixed_large"} | TRAILING, 5), ({"variance_type": "fixed_small_log", "clip_sample_range": 2.0}, 5),
        (SAMPLE | LINSPACE, 5), (V | TRAILING | ZERO_SNR, 6), (LEADING, 6)],
    "PNDMScheduler": TRAINED + [
        ({}, 6), (V | LEADING, 9), ({"skip_prk_steps": True} | V | TRAILING, 6), ({"skip_prk_steps": True}, 1),
        ({"skip_prk_steps": True, "set_alpha_to_one": True} | LINSPACE, 5)],
    "DPMSolverMultistepScheduler": TRAINED + SPACINGS + [
        ({"use_lu_lambdas": True}, 6), (V | TRAILING | ZERO_SNR, 6), ({"solver_order": 1} | SAMPLE, 5),
        ({"solver_order": 3}, 16), ({"solver_order": 3} | SIGMA_MIN | KARRAS, 8),
        ({"solver_order": 3, "lower_order_final": False} | SIGMA_MIN, 7), ({"euler_at_final": True} | SIGMA_MIN, 16),
        ({"solver_type": "heun"}, 7), ({"solver_type": "bh2", "algorithm_type": "deis"} | SIGMA_MIN, 5),
        ({"algorithm_type": "sde-dpmsolver++", "solver_type": "heun"}, 6),
        ({"algorithm_type": "sde-dpmsolver++", "solver_order": 3} | V, 7),
        ({"algorithm_type": "dpmsolver"} | SIGMA_MIN, 7), ({"algorithm_type": "dpmsolver", "solver_order": 3} | SIGMA_MIN | V, 7),
        ({"algorithm_type": "dpmsolver", "solver_type": "heun"} | SIGMA_MIN | SAMPLE, 6),
        ({"algorithm_type": "sde-dpmsolver"} | SIGMA_MIN, 6), ({"algorithm_type": "sde-dpmsolver", "solver_type": "heun"} | SIGMA_MIN, 6),
        ({"lambda_min_clipped": -2.0} | TRAILING, 6), ({"lambda_min_clipped": -2.0}, 6)],
    "DPMSolverSinglestepScheduler": TRAINED + [
        (KARRAS | RANGE, 6), (EXPONENTIAL, 5), (BETA | V, 7), ({"solver_order": 1} | SAMPLE, 5), ({"solver_order": 3}, 6),
        ({"solver_order": 3}, 7), ({"solver_order": 3, "solver_type": "heun"} | SIGMA_MIN, 6), ({"solver_order": 3} | SIGMA_MIN, 8),
        ({"lower_order_final": True} | SIGMA_MIN, 6), ({"solver_type": "heun"} | V, 6),
        ({"algorithm_type": "sde-dpmsolver++"}, 6), ({"algorithm_type": "sde-dpmsolver++", "solver_order": 3, "solver_type": "heun"}, 8),
        ({"algorithm_type": "dpmsolver"} | SIGMA_MIN, 6), ({"algorithm_type": "dpmsolver", "solver_order": 3} | SIGMA_MIN, 6),
        ({"lambda_min_clipped": -2.0}, 6)],
    "UniPCMultistepScheduler": TRAINED + SPACINGS + [
        (KARRAS | SIGMA_MIN, 6), (V | TRAILING | ZERO_SNR, 6), (SAMPLE, 5), ({"solver_order": 1}, 5), ({"solver_order": 3}, 7),
        ({"solver_order": 4} | V, 9), ({"solver_type": "bh1"} | SIGMA_MIN, 6), ({"solver_type": "midpoint"}, 5),
        ({"predict_x0": False} | SIGMA_MIN, 6), ({"predict_x0": False, "solver_order": 3} | SIGMA_MIN | V, 7),
        ({"lower_order_final": False} | SIGMA_MIN, 6), ({"disable_corrector": [0, 2]}, 6)],
    "DEISMultistepScheduler": TRAINED + SPACINGS + [
        (TRAILING | V, 6), ({"solver_order": 1} | SAMPLE, 5), ({"solver_order": 3}, 7), ({"solver_order": 3}, 16),
        ({"solver_order": 3, "lower_order_final": False}, 6), ({"solver_type": "heun", "algorithm_type": "dpmsolver++"}, 5)],
    "LCMScheduler": TRAINED[:1] + [
        ({}, 4), (V | ZERO_SNR, 5), ({"original_inference_steps": 100, "timestep_scaling": 0.01}, 4),
        ({"clip_sample": True, "clip_sample_range": 1.5} | SAMPLE, 4), (TRAINED[2][0], 4), (BETAS | {"original_inference_steps": 6}, 4)],
    "TCDScheduler": TRAINED[:1] + [
        ({}, 4), ({"eta": 0.0}, 4), ({"eta": 1.0} | SAMPLE, 4), (V | ZERO_SNR, 5), ({"original_inference_steps": 100}, 7),
        (TRAINED[2][0], 4), (BETAS | {"original_inference_steps": 6}, 4)],
}


def values(tensor):
    return [float(f"{float(v):.8g}") for v in tensor.flatten()]


def run(name, config, steps):
    keys = {k: v for k, v in config.items() if k != "eta"}
    scheduler = getattr(diffusers, name).from_config(keys)
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(60)
    x = torch.randn(1, 4, 2, 2, generator=torch.Generator().manual_seed(61)) * scheduler.init_noise_sigma
    accepted = inspect.signature(scheduler.step).parameters
    extra = {k: v for k, v in {"generator": generator, "eta": config.get("eta")}.items() if k in accepted and v is not None}
    place = torch.arange(x.numel()).reshape(x.shape) * 0.37
    for call, timestep in enumerate(scheduler.timesteps):
        output = torch.tanh(scheduler.scale_model_input(x, timestep) * 0.8 + 0.1 * torch.sin(place + call))
        x = scheduler.step(output, timestep, x, **extra).prev_sample
    assert torch.isfinite(x).all(), (name, config, steps)
    case = {"class": name, "config": config, "steps": steps, "init_noise_sigma": float(scheduler.init_noise_sigma)}
    case["timesteps"] = values(scheduler.timesteps.double())
    if hasattr(scheduler, "sigmas"):
        case["sigmas"] = values(scheduler.sigmas)
    case["last"] = values(x)
    return case


cases = [run(name, SDXL | config, steps) for name, list_ in CASES.items() for config, steps in list_]
with open(sys.argv[1], "w") as file:
    file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
print(len(cases), "cases")
