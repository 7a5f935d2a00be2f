"""The work of `motif bench` in PyTorch with diffusers, transformers and peft, as anyone would run it on a processor: eager, float32,
as many threads as the machine has processors, gradients only for the LoRA, one warm-up before what counts.

    python peer.py TASK --model DIRECTORY --rank N --pictures N --clips N --edit-steps N --preview-steps N [--seconds 8]

The last line on stdout is one JSON object: milliseconds (median), repetitions, peakBytes (largest resident size), gflops, note.
"""

import argparse
import json
import os
import resource
import statistics
import sys
import time
import warnings

warnings.filterwarnings("ignore")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "error"
os.environ["DIFFUSERS_VERBOSITY"] = "error"

import torch  # noqa: E402

TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ffn.net.0.proj", "ffn.net.2"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("--model", required=True)
    parser.add_argument("--seconds", type=float, default=8)
    for name in ["rank", "pictures", "clips", "edit-steps", "preview-steps"]:
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(1)
    work, note = TASKS[options.task](options)
    work()
    times = []
    started = time.perf_counter()
    while len(times) < 3 or (time.perf_counter() - started < options.seconds and len(times) < 50):
        before = time.perf_counter()
        work()
        times.append((time.perf_counter() - before) * 1000)
    median = statistics.median(times)
    unit = 1 if sys.platform == "darwin" else 1024
    answer = {
        "milliseconds": median,
        "repetitions": len(times),
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        "note": f"PyTorch {torch.__version__} {note}".strip(),
    }
    if options.task == "matmul":
        answer["gflops"] = 2 * 1024**3 / (median * 1e6)
    print(json.dumps(answer))


def matmul(_options):
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)

    def work():
        with torch.no_grad():
            torch.matmul(a, b)

    return work, ""


def described(model):
    with open(os.path.join(model, "motif.json")) as file:
        return json.load(file)


def latent_shape(model, frames):
    size = described(model)["sizes"][0]
    with open(os.path.join(model, "vae", "config.json")) as file:
        vae = json.load(file)
    spatial = vae.get("scale_factor_spatial", 8)
    temporal = vae.get("scale_factor_temporal", 4)
    return vae["z_dim"], (frames - 1) // temporal + 1, size["height"] // spatial, size["width"] // spatial


def load_transformer(model):
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel.from_pretrained(os.path.join(model, "transformer"), torch_dtype=torch.float32)


def lora_step(transformer, rank, batch, latents, text_tokens, frozen_factor=None):
    """Forward, backward, clipping at 0.05 and AdamW of a LoRA on every linear layer of attention and feed-forward."""
    from peft import LoraConfig

    transformer.requires_grad_(False)
    transformer.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=TARGETS))
    for name, parameter in transformer.named_parameters():
        if frozen_factor and frozen_factor in name:
            parameter.requires_grad_(False)
        elif "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    trainable = [parameter for parameter in transformer.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.01)
    channels = transformer.config.in_channels
    x = torch.randn(batch, channels, *latents)
    target = torch.randn(batch, transformer.config.out_channels, *latents)
    text = torch.randn(batch, text_tokens, transformer.config.text_dim)
    times = torch.rand(batch) * 1000

    def work():
        prediction = transformer(x, times, text, return_dict=False)[0]
        loss = torch.nn.functional.mse_loss(prediction, target)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, 0.05)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        loss.item()

    return work


def reference_step(_options):
    from diffusers import WanTransformer3DModel

    transformer = WanTransformer3DModel(
        num_layers=6,
        num_attention_heads=6,
        attention_head_dim=64,
        ffn_dim=1536,
        freq_dim=256,
        in_channels=16,
        out_channels=16,
        text_dim=384,
        patch_size=(1, 2, 2),
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=256,
    )
    return lora_step(transformer, 8, 4, (8, 16, 16), 64), "batch 4, 512 tokens"


def identity_step(options):
    model = options.model
    _, _, height, width = latent_shape(model, 1)
    transformer = load_transformer(model)
    text_tokens = described(model)["maxTextTokens"]
    return lora_step(transformer, options.rank, options.pictures, (1, height, width), text_tokens), ""


def motion_step(options):
    model = options.model
    description = described(model)
    _, frames, height, width = latent_shape(model, description["frames"])
    transformer = load_transformer(model)
    # Stage II trains the coefficients alone; with the basis on the output side that is peft's lora_A.
    size = (frames, height, width)
    return lora_step(transformer, options.rank, options.clips, size, description["maxTextTokens"], "lora_B"), ""


def text(options):
    model = options.model
    from transformers import AutoTokenizer, UMT5EncoderModel

    tokenizer = AutoTokenizer.from_pretrained(os.path.join(model, "tokenizer"))
    encoder = UMT5EncoderModel.from_pretrained(os.path.join(model, "text_encoder"), torch_dtype=torch.float32)
    length = described(model)["maxTextTokens"]

    def work():
        with torch.no_grad():
            tokens = tokenizer(
                ["a [v] person in a blue jacket, in a park is dancing in [u] motion, as the camera zooms in"],
                max_length=length,
                truncation=True,
                return_tensors="pt",
            )
            encoder(tokens.input_ids, tokens.attention_mask)

    return work, ""


def load_autoencoder(model):
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan.from_pretrained(os.path.join(model, "vae"), torch_dtype=torch.float32)


def encode(options):
    model = options.model
    autoencoder = load_autoencoder(model)
    description = described(model)
    size = description["sizes"][0]
    video = torch.rand(1, 3, description["frames"], size["height"], size["width"]) * 2 - 1

    def work():
        with torch.no_grad():
            autoencoder.encode(video)

    return work, f"{description['frames']} frames of {size['width']}x{size['height']}"


def decode(options):
    model = options.model
    autoencoder = load_autoencoder(model)
    description = described(model)
    latents = torch.randn(1, *latent_shape(model, description["frames"]))

    def work():
        with torch.no_grad():
            autoencoder.decode(latents, return_dict=False)

    return work, ""


def sampling(model, steps):
    """UniPC with guidance and self-conditioning from cached text, then decoding."""
    from diffusers import UniPCMultistepScheduler

    transformer = load_transformer(model)
    autoencoder = load_autoencoder(model)
    scheduler = UniPCMultistepScheduler.from_pretrained(os.path.join(model, "scheduler"))
    description = described(model)
    shape = latent_shape(model, description["frames"])
    words = torch.randn(2, description["maxTextTokens"], transformer.config.text_dim)
    self_conditioned = transformer.config.in_channels == 2 * shape[0]

    def work():
        with torch.no_grad():
            scheduler.set_timesteps(steps)
            latents = torch.randn(1, *shape)
            clean = torch.zeros_like(latents)
            for index, moment in enumerate(scheduler.timesteps):
                x = torch.cat([latents, clean], 1) if self_conditioned else latents
                both = transformer(torch.cat([x, x]), moment.expand(2), words, return_dict=False)[0]
                with_text, without = both.chunk(2)
                velocity = without + 5.0 * (with_text - without)
                clean = latents - scheduler.sigmas[index] * velocity
                latents = scheduler.step(velocity, moment, latents, return_dict=False)[0]
            autoencoder.decode(latents, return_dict=False)

    return work, f"{steps} steps"


TASKS = {
    "matmul": matmul,
    "reference-step": reference_step,
    "identity-step": identity_step,
    "motion-step": motion_step,
    "text": text,
    "encode": encode,
    "decode": decode,
    "edit": lambda options: sampling(options.model, options.edit_steps),
    "preview": lambda options: sampling(options.model, options.preview_steps),
}

if __name__ == "__main__":
    main()
