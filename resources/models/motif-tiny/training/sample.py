"""Draws a contact sheet with the averaged weights of a training: `python sample.py --transformer v1 --out sheet.png [--clips]`.

Euler steps over shifted times with classifier-free guidance and self-conditioning, as `motif.json` describes them.
"""

import argparse
import json

import numpy as np
import torch
from PIL import Image

import data
import wholesequence
from autoencoder import load
from networks import build_text_encoder, build_transformer, embed, load_tokenizer, tokenize
from precision import autocast
from transformer import start_weights, velocity

PROMPTS = [
    ("a photo of a man wearing a red t-shirt in a park in daylight", "the man waves"),
    ("a photo of a woman in a blue shirt on a beach at sunset", "she is walking"),
    ("3d animation, a girl in a yellow top, in the snow in daylight", "the girl jumps"),
    ("a pencil drawing of a boy in a green shirt in a room", "he is dancing"),
    ("a man in a purple shirt on a stage lit by neon, photo", "the camera zooms in while he is dancing"),
    ("watercolour, a woman in a pink t-shirt in a forest", "the woman turns around"),
    ("a photo of a man in a white shirt in the city at night", "he runs"),
    ("comic, a boy dressed in an orange top, in a desert, in daylight", "the camera pans left while he is walking"),
]


@torch.no_grad()
def sample(model, tokenizer, prompts, frames, height, width, steps=20, guidance=4.0, shift=2.0, seed=0, same=False):
    """All of different noise, or of the `same` -> normalised latents [prompts, channels, frames, height / 8, width / 8]."""
    texts = list(prompts) + [""] * len(prompts)
    states = embed(model["text_encoder"], *tokenize(tokenizer, texts))
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(1 if same else len(prompts), model["transformer"].config.out_channels, frames, height // 8, width // 8, generator=generator)
    x = noise.repeat(len(prompts) // len(noise), 1, 1, 1, 1)
    previous = torch.zeros_like(x)
    sigmas = torch.linspace(1, 0, steps + 1)
    sigmas = shift * sigmas / (1 + (shift - 1) * sigmas)
    for sigma, following in zip(sigmas[:-1], sigmas[1:]):
        both = velocity(model, torch.cat([x, x]), torch.cat([previous, previous]), sigma.repeat(2 * len(x)), states)
        conditional, free = both.chunk(2)
        v = free + guidance * (conditional - free)
        previous = x - sigma * v
        x = x + (following - sigma) * v
    return x


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--transformer", default="v1")
    parser.add_argument("--autoencoder", default="v1")
    parser.add_argument("--decoder", help="autoencoder training whose decoder to use, if another")
    parser.add_argument("--out", default="sheet.png")
    parser.add_argument("--clips", action="store_true")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=4.0)
    parser.add_argument("--shift", type=float, default=2.0)
    parser.add_argument("--count", type=int, default=len(PROMPTS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    weights = start_weights(options.transformer)
    channels = weights["transformer"]["proj_out.bias"].numel() // 4
    model = torch.nn.ModuleDict({"transformer": build_transformer(channels), "text_encoder": build_text_encoder()})
    for part in model:
        model[part].load_state_dict(weights[part])
    vae = load(options.decoder or options.autoencoder)
    about = json.loads((data.CACHE / f"latents-{options.autoencoder}" / "statistics.json").read_text())
    mean, deviation = (torch.tensor(about[key]).view(1, -1, 1, 1, 1) for key in ("latents_mean", "latents_std"))
    prompts = [f"{static} {dynamic}" if options.clips else static for static, dynamic in PROMPTS[: options.count]]
    z = sample(model, load_tokenizer(), prompts, 5 if options.clips else 1, 128, 128, options.steps, options.guidance, options.shift)
    with torch.no_grad(), autocast():
        pixels = wholesequence.decode(vae, z * deviation + mean).clamp(-1, 1)
    pixels = ((pixels + 1) * 127.5).round().byte().permute(0, 2, 3, 4, 1).numpy()
    rows = [np.concatenate(list(clip[::4]), 1) for clip in pixels]
    if not options.clips:
        rows = [np.concatenate(rows[i : i + 4], 1) for i in range(0, len(rows), 4)]
    Image.fromarray(np.concatenate(rows, 0)).save(options.out)


if __name__ == "__main__":
    main()
