"""Trains the causal autoencoder on rendered clips and on the real material, on one core of a processor; goes on where it was stopped.

    python train.py --name v1 --world c --minutes 120

Material, optimiser, losses and the growing crops are those of motif-twin's training, so that the two can be compared at equal time.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

MODELS = Path(__file__).resolve().parents[2]
sys.path.insert(1, str(MODELS / "motif-tiny/training"))

import data  # noqa: E402
import magvit  # noqa: E402
from losses import Perceptual, psnr, ssim  # noqa: E402
from optimiser import Muon  # noqa: E402
from precision import autocast  # noqa: E402
from run import Run, add_options  # noqa: E402

CACHE = data.CACHE / "magvit"
PLAN = [(64, 64, 4), (64, 128, 2), (128, 64, 2), (128, 128, 1)]  # height, width, clips: as many pixels each


def shares(progress):
    """How often each of PLAN is drawn."""
    large = min(1.0, max(0.0, (progress - 0.35) / 0.4))
    return np.array([0.85 - 0.65 * large, 0.05 + 0.075 * large, 0.05 + 0.075 * large, 0.05 + 0.5 * large])


@torch.no_grad()
def measure(model, clips):
    """Means over clips uint8 [17, h, w, 3]; nothing without clips."""
    rows = []
    for clip in clips:
        x = data.to_batch([clip])
        with autocast():
            made = model.decode(model.moments(x)[0])
        rows.append([psnr(made, x).item(), ssim(made, x).item()])
    return dict(zip(["psnr", "ssim"], np.round(np.mean(rows, 0), 3).tolist())) if rows else {}


@torch.no_grad()
def statistics(model, clips):
    """Mean and deviation of each latent channel."""
    with autocast():
        z = torch.cat([model.moments(data.to_batch([clip]))[0].transpose(0, 1).flatten(1) for clip in clips], 1)
    return z.mean(1).tolist(), z.std(1).clamp(min=1e-3).tolist()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(p)
    p.add_argument("--preset", choices=list(magvit.PRESETS), default="tiny")
    p.add_argument("--real-share", type=float, default=0.5)
    p.add_argument("--squares", type=float, default=1.0, help="weight of the squared error beside the absolute one")
    p.add_argument("--perceptual", type=float, default=0.05)
    p.add_argument("--perceptual-start", type=float, default=0.7, help="share of the time")
    p.add_argument("--kl", type=float, default=0.001)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    random = np.random.default_rng(a.seed)
    config = magvit.PRESETS[a.preset]
    model, mean = magvit.Magvit(config), magvit.Magvit(config).eval()
    optimiser = Muon(model, a.rate, a.adam_rate, plain=["conv_in", "conv_out", "adapt"])
    perceptual = Perceptual() if a.perceptual else None
    run = Run(CACHE / a.name, a, model, mean, optimiser, random)
    real, world = data.RealMaterial(), data.WorldShards(*a.world)
    held_out, pick = data.WorldShards(*a.validation, training=False), np.random.default_rng(7)
    validation = [held_out.pick(pick)[0] for _ in range(12 if len(held_out) else 0)]
    print(f"{magvit.parameters(model)} parameters, rate {config.rate(17, 128, 128):.4%}, {len(world)} world clips", flush=True)
    while run.going():
        chances = shares(run.progress)
        h, w, b = PLAN[random.choice(len(PLAN), p=chances / chances.sum())]
        x = data.crops(random, real, world, b, 17, h, w, a.real_share)
        with autocast():
            made, kl = model(x)
        difference = made - x
        parts = {"l1": difference.abs().mean(), "squares": difference.square().mean(), "kl": kl}
        loss = parts["l1"] + a.squares * parts["squares"] + a.kl / (3 * h * w) * kl
        if perceptual and run.progress > a.perceptual_start:
            frames = torch.from_numpy(np.sort(random.choice(17, 4, replace=False)))
            with autocast():
                parts["perceptual"] = perceptual(*(v[:, :, frames].transpose(1, 2).flatten(0, 1) for v in (made, x)))
            loss = loss + a.perceptual * parts["perceptual"]
        run.learn(loss, parts, lambda: measure(mean, validation))
    found = run.end(lambda: measure(mean, validation))
    centre, deviation = statistics(mean, [world.pick(pick)[0] for _ in range(12)])
    magvit.save(mean, run.folder / "export", centre, deviation, {"training": run.about(), "measured": {"world": found}})


if __name__ == "__main__":
    main()
