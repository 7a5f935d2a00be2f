"""The work of `motif bench` in PyTorch with diffusers, transformers and peft: as many threads as the machine has processors, gradients only
for the LoRA, one warm-up before what counts.

    python peer.py TASK --model DIRECTORY --rank N --pictures N --clips N --edit-steps N --preview-steps N [--seconds 8]
        [--variant eager-float32|eager-bfloat16|compiled-float32|compiled-bfloat16] [--started MS]
        [--layers N] [--tokens N] [--batch N] [--concepts N]

bfloat16 means everything in it, weights, the LoRA and its optimiser: less exact than ours, and the fastest that PyTorch has. Compiled means
torch.compile of the networks with static shapes. Convolutions get their tensors with channels last, which is faster.

The last line on stdout is one JSON object: milliseconds and processorMilliseconds (medians), repetitions, peakBytes (largest resident size), firstMilliseconds (the
warm-up), startMilliseconds (from --started, a Unix time, to the end of the warm-up), gflops, note.
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

# Sizes of the transformer whose step shows how time and memory grow.
SIZES = {"layers": 6, "tokens": 512, "batch": 4, "concepts": 1}
TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ffn.net.0.proj", "ffn.net.2"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("--model", required=True)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--variant", default="eager-float32")
    parser.add_argument("--started", type=float)
    for name in ["rank", "pictures", "clips", "edit-steps", "preview-steps"]:
        parser.add_argument(f"--{name}", type=int, required=True)
    for name, value in SIZES.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    mode, precision = options.variant.split("-")
    options.dtype = getattr(torch, precision)
    options.compile = torch.compile if mode == "compiled" else lambda work, **_: work
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.manual_seed(1)
    work, note = TASKS[options.task](options)
    before = time.perf_counter()
    work()
    first = (time.perf_counter() - before) * 1000
    ready = time.time() * 1000
    times, processor_times = [], []
    started = time.perf_counter()
    while len(times) < 3 or (time.perf_counter() - started < options.seconds and len(times) < 50):
        before, processor_before = time.perf_counter(), time.process_time()
        work()
        times.append((time.perf_counter() - before) * 1000)
        processor_times.append((time.process_time() - processor_before) * 1000)
    median = statistics.median(times)
    unit = 1 if sys.platform == "darwin" else 1024
    answer = {
        "milliseconds": median,
        "processorMilliseconds": statistics.median(processor_times),
        "repetitions": len(times),
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit,
        "firstMilliseconds": first,
        "note": f"PyTorch {torch.__version__} {options.variant.replace('-', ' ')} {note}".strip(),
    }
    if options.started is not None:
        answer["startMilliseconds"] = ready - options.started
    if options.task == "matmul":
        answer["gflops"] = 2 * 1024**3 / (median * 1e6)
    print(json.dumps(answer))


def matmul(options):
    a, b = (torch.randn(1024, 1024, dtype=options.dtype) for _ in range(2))

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


def load_transformer(options):
    from diffusers import WanTransformer3DModel

    folder = os.path.join(options.model, "transformer")
    return WanTransformer3DModel.from_pretrained(folder, torch_dtype=options.dtype)


def lora_step(options, transformer, rank, batch, latents, text_tokens, frozen_factor=None, captions=None):
    """Forward, backward, clipping at 0.05 and AdamW of a LoRA on every linear layer of attention and feed-forward.

    `captions` answers the encoded texts [batch, tokens, width] and what else learns with them.
    """
    from peft import LoraConfig

    transformer.requires_grad_(False)
    transformer.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=TARGETS))
    for name, parameter in transformer.named_parameters():
        if frozen_factor and frozen_factor in name:
            parameter.requires_grad_(False)
        elif "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.02)
    transformer.to(options.dtype)
    channels = transformer.config.in_channels
    x = torch.randn(batch, channels, *latents, dtype=options.dtype)
    target = torch.randn(batch, transformer.config.out_channels, *latents, dtype=options.dtype)
    text = torch.randn(batch, text_tokens, transformer.config.text_dim, dtype=options.dtype)
    times = torch.rand(batch) * 1000
    encode, further = captions or (lambda: text, [])
    trainable = [parameter for parameter in transformer.parameters() if parameter.requires_grad] + further
    # `fused` is the fastest of PyTorch's forms of AdamW on a processor.
    optimiser = torch.optim.AdamW(trainable, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.01, fused=True)

    def loss_of():
        prediction = transformer(x, times, encode(), return_dict=False)[0]
        return torch.nn.functional.mse_loss(prediction, target)

    compiled = options.compile(loss_of, dynamic=False)

    def work():
        loss = compiled()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, 0.05)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        loss.item()

    return work


def reference_transformer(layers):
    from diffusers import WanTransformer3DModel

    return WanTransformer3DModel(
        num_layers=layers,
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


def reference_step(options):
    frames = options.tokens // 64
    work = lora_step(options, reference_transformer(options.layers), 8, options.batch, (frames, 16, 16), 64)
    return work, f"{options.layers} layers, batch {options.batch}, {64 * frames} tokens"


def identity_step(options):
    _, _, height, width = latent_shape(options.model, 1)
    text_tokens = described(options.model)["maxTextTokens"]
    size = (1, height, width)
    return lora_step(options, load_transformer(options), options.rank, options.pictures, size, text_tokens), ""


def motion_step(options, captions=None):
    description = described(options.model)
    _, frames, height, width = latent_shape(options.model, description["frames"])
    # Stage II trains the coefficients alone; with the basis on the output side that is peft's lora_A.
    size = (frames, height, width)
    transformer = load_transformer(options)
    text_tokens = description["maxTextTokens"]
    return lora_step(options, transformer, options.rank, options.clips, size, text_tokens, "lora_B", captions), ""


def joint_step(options):
    """Stage II of several concepts learned together: each has two captions with tokens of its own, which learn too."""
    from transformers import UMT5EncoderModel

    encoder = UMT5EncoderModel.from_pretrained(os.path.join(options.model, "text_encoder"), torch_dtype=options.dtype)
    encoder.requires_grad_(False)
    length, tokens = described(options.model)["maxTextTokens"], 32
    count = 2 * options.concepts
    width = encoder.config.d_model
    words = torch.randn(count, tokens - 2, width, dtype=options.dtype)
    learned = torch.nn.Parameter(torch.randn(options.concepts, 2, width, dtype=options.dtype))

    def encode():
        embedded = torch.cat([learned.repeat_interleave(2, 0), words], 1)  # [captions, tokens, width]
        texts = encoder(inputs_embeds=embedded)[0]
        rows = texts[torch.arange(options.clips) % count]
        return torch.nn.functional.pad(rows, (0, 0, 0, length - tokens))

    return motion_step(options, (encode, [learned]))


def text(options):
    model = options.model
    from transformers import AutoTokenizer, UMT5EncoderModel

    tokenizer = AutoTokenizer.from_pretrained(os.path.join(model, "tokenizer"))
    encoder = UMT5EncoderModel.from_pretrained(os.path.join(model, "text_encoder"), torch_dtype=options.dtype)
    encoder = options.compile(encoder)
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


def load_autoencoder(options):
    from diffusers import AutoencoderKLWan

    autoencoder = AutoencoderKLWan.from_pretrained(os.path.join(options.model, "vae"), torch_dtype=options.dtype)
    for parameter in autoencoder.parameters():
        if parameter.dim() == 5:
            parameter.data = channels_last(parameter.data)
    # It goes through a clip in chunks of frames: what is compiled is the pass of one chunk.
    autoencoder.encoder = options.compile(autoencoder.encoder)
    autoencoder.decoder = options.compile(autoencoder.decoder)
    return autoencoder


def channels_last(x):
    return x.contiguous(memory_format=torch.channels_last_3d)


def encode(options):
    autoencoder = load_autoencoder(options)
    description = described(options.model)
    size = description["sizes"][0]
    video = torch.rand(1, 3, description["frames"], size["height"], size["width"], dtype=options.dtype) * 2 - 1
    video = channels_last(video)

    def work():
        with torch.no_grad():
            autoencoder.encode(video)

    return work, f"{description['frames']} frames of {size['width']}x{size['height']}"


def decode(options):
    autoencoder = load_autoencoder(options)
    frames = described(options.model)["frames"]
    latents = channels_last(torch.randn(1, *latent_shape(options.model, frames), dtype=options.dtype))

    def work():
        with torch.no_grad():
            autoencoder.decode(latents, return_dict=False)

    return work, ""


def autoencoder(options):
    """Encode, then decode what came out."""
    loaded = load_autoencoder(options)
    description = described(options.model)
    size = description["sizes"][0]
    video = torch.rand(1, 3, description["frames"], size["height"], size["width"], dtype=options.dtype) * 2 - 1
    video = channels_last(video)

    def work():
        with torch.no_grad():
            latents = loaded.encode(video).latent_dist.mode()
            loaded.decode(latents, return_dict=False)

    return work, f"{description['frames']} frames of {size['width']}x{size['height']}"


def twin(options):
    """Encode and decode of VidTwin's modules, as they lie beside their training, with the weights of the twin beside the model; a clip's chunks are steadied by OpenCV
    and go through the network together."""
    folder = os.path.join(os.path.dirname(os.path.abspath(options.model)), "motif-twin")
    sys.path.insert(0, os.path.join(folder, "training"))
    import numpy as np
    import steady
    import vidtwin

    network = vidtwin.load(folder).to(options.dtype)
    config = network.config
    rows, columns = network.grid(config.height, config.width)
    place = torch.device("cpu")
    network.position_cache = {(rows, columns, place): network.positions(rows, columns, place).to(options.dtype)}
    through = options.compile(lambda x: network.decode(*(z.to(options.dtype) for z in network.encode(x))), dynamic=False)
    chunks, apart = 3, -(-3 * config.frames // 4)
    count = config.frames + (chunks - 1) * apart
    t, y, x, c = np.meshgrid(*(np.arange(n) for n in (count, config.height, config.width, 3)), indexing="ij")
    waves = sum(20 * np.sin((0.05 + 0.07 * k) * (x + 1.5 * t) + (0.08 + 0.05 * k) * y + k + c) for k in range(6))
    clip = np.clip(128 + waves, 0, 255).astype(np.uint8)

    def work():
        with torch.no_grad():
            parts = [clip[k * apart : k * apart + config.frames] for k in range(chunks)]
            paths = [steady.camera_path(part) for part in parts]
            pictures = np.stack([steady.steady(part, path) for part, path in zip(parts, paths)])
            made = through(torch.from_numpy(pictures).permute(0, 4, 1, 2, 3).to(options.dtype) / 127.5 - 1)
            for one, path in zip(made, paths):
                steady.unsteady(one.float().permute(1, 2, 3, 0).contiguous().numpy(), path)

    return work, f"{count} frames of {config.width}x{config.height} in {chunks} chunks, {vidtwin.parameters(network) / 1e6:.2f} M parameters"


def sampling(options, steps):
    """UniPC with guidance and self-conditioning from cached text, then decoding."""
    from diffusers import UniPCMultistepScheduler

    transformer = load_transformer(options)
    autoencoder = load_autoencoder(options)
    scheduler = UniPCMultistepScheduler.from_pretrained(os.path.join(options.model, "scheduler"))
    description = described(options.model)
    shape = latent_shape(options.model, description["frames"])
    words = torch.randn(2, description["maxTextTokens"], transformer.config.text_dim, dtype=options.dtype)
    self_conditioned = transformer.config.in_channels == 2 * shape[0]
    flow = options.compile(lambda x, moment: transformer(x, moment, words, return_dict=False)[0], dynamic=False)

    def work():
        with torch.no_grad():
            scheduler.set_timesteps(steps)
            latents = torch.randn(1, *shape, dtype=options.dtype)
            clean = torch.zeros_like(latents)
            for index, moment in enumerate(scheduler.timesteps):
                x = torch.cat([latents, clean], 1) if self_conditioned else latents
                both = flow(torch.cat([x, x]), moment.expand(2))
                with_text, without = both.chunk(2)
                velocity = without + 5.0 * (with_text - without)
                clean = (latents - scheduler.sigmas[index] * velocity).to(options.dtype)
                latents = scheduler.step(velocity, moment, latents, return_dict=False)[0]
            autoencoder.decode(channels_last(latents), return_dict=False)

    return work, f"{steps} steps"


TASKS = {
    "matmul": matmul,
    "reference-step": reference_step,
    "identity-step": identity_step,
    "motion-step": motion_step,
    "joint-step": joint_step,
    "text": text,
    "encode": encode,
    "decode": decode,
    "autoencoder": autoencoder,
    "twin": twin,
    "edit": lambda options: sampling(options, options.edit_steps),
    "preview": lambda options: sampling(options, options.preview_steps),
}

if __name__ == "__main__":
    main()
