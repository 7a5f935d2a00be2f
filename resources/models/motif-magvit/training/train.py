"""Trains the causal autoencoder on rendered clips and on the real material, on one core of a processor; goes on where it was stopped.

    python train.py --name v1 --world c --minutes 120

Material, optimiser, losses and the growing crops are those of motif-twin's training, so that the two can be compared at equal time.
"""

import argparse
import csv
import json
import math
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch

MODELS = Path(__file__).resolve().parents[2]
sys.path[1:1] = [str(MODELS / "motif-tiny/training"), str(MODELS / "motif-twin/training")]

import data  # noqa: E402
import magvit  # noqa: E402
from losses import Perceptual, psnr, ssim  # noqa: E402
from optimiser import Muon  # noqa: E402
from precision import autocast  # noqa: E402

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
    p.add_argument("--name", default="v1")
    p.add_argument("--world", nargs="*", default=["v2"])
    p.add_argument("--validation", nargs="*", default=["v2-val"], help="rendered clips that are measured and never trained on")
    p.add_argument("--minutes", type=float, default=120, help="of training, all its runs together")
    p.add_argument("--preset", choices=list(magvit.PRESETS), default="tiny")
    p.add_argument("--rate", type=float, default=1e-2, help="Muon's; AdamW's is --adam-rate")
    p.add_argument("--adam-rate", type=float, default=2e-3)
    p.add_argument("--warm-up", type=float, default=3, help="minutes")
    p.add_argument("--fall", type=float, default=0.3, help="share of the time over which the rate falls to nothing")
    p.add_argument("--real-share", type=float, default=0.5)
    p.add_argument("--squares", type=float, default=1.0, help="weight of the squared error beside the absolute one")
    p.add_argument("--perceptual", type=float, default=0.05)
    p.add_argument("--perceptual-start", type=float, default=0.7, help="share of the time")
    p.add_argument("--kl", type=float, default=0.001)
    p.add_argument("--ema", type=float, default=0.998)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--save-every", type=float, default=4, help="minutes")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    random = np.random.default_rng(a.seed)
    folder = CACHE / a.name
    folder.mkdir(parents=True, exist_ok=True)

    config = magvit.PRESETS[a.preset]
    model, mean = magvit.Magvit(config), magvit.Magvit(config).eval()
    mean.load_state_dict(model.state_dict())
    optimiser = Muon(model, a.rate, a.adam_rate, plain=["conv_in", "conv_out", "adapt"])
    perceptual = Perceptual(MODELS / "motif-judge/model.safetensors").eval() if a.perceptual else None
    step, minutes = 0, 0.0
    state_file = folder / "state.pt"
    if state_file.exists():
        state = torch.load(state_file, weights_only=False)
        model.load_state_dict(state["model"]), mean.load_state_dict(state["mean"]), optimiser.load_state_dict(state["optimiser"])
        step, minutes = state["step"], state["minutes"]
        random.bit_generator.state = state["random"]
        torch.set_rng_state(state["torch"])
        print(f"goes on at step {step}, minute {minutes:.1f}", flush=True)

    def save():
        state = {"model": model.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict(), "step": step, "minutes": minutes,
                 "random": random.bit_generator.state, "torch": torch.get_rng_state()}
        partial = state_file.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(state_file)

    real, world = data.RealMaterial(), data.WorldShards(*a.world)
    held_out, pick = data.WorldShards(*a.validation, training=False), np.random.default_rng(7)
    validation = [held_out.pick(pick)[0] for _ in range(12 if len(held_out) else 0)]
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
    signal.signal(signal.SIGINT, lambda *_: stopping.append(1))
    log = csv.writer(open(folder / "log.csv", "a", newline=""))
    print(f"{magvit.parameters(model)} parameters, rate {config.rate(17, 128, 128):.4%}, {len(world)} world clips", flush=True)
    sums, counted, last_save = {}, 0, minutes
    while minutes < a.minutes and not stopping:
        began = time.time()
        progress = minutes / a.minutes
        factor = min(1.0, (minutes + 0.05) / a.warm_up) * min(1.0, (1 - progress) / a.fall)
        chances = shares(progress)
        h, w, b = PLAN[random.choice(len(PLAN), p=chances / chances.sum())]
        x = data.crops(random, real, world, b, 17, h, w, a.real_share)
        with autocast():
            made, kl = model(x)
        difference = made - x
        parts = {"l1": difference.abs().mean(), "squares": difference.square().mean(), "kl": kl}
        loss = parts["l1"] + a.squares * parts["squares"] + a.kl / (3 * h * w) * kl
        if perceptual and progress > a.perceptual_start:
            frames = torch.from_numpy(np.sort(random.choice(17, 4, replace=False)))
            with autocast():
                parts["perceptual"] = perceptual(*(v[:, :, frames].transpose(1, 2).flatten(0, 1) for v in (made, x)))
            loss = loss + a.perceptual * parts["perceptual"]
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if math.isfinite(norm.item()):
            optimiser.step(factor)
        else:
            model.zero_grad(set_to_none=True)
            parts["skipped"] = torch.ones(())
        step += 1
        with torch.no_grad():
            decay = min(a.ema, (step + 1) / (step + 10))
            for slow, fast in zip(mean.parameters(), model.parameters()):
                slow.lerp_(fast, 1 - decay)
        for k, v in parts.items():
            total, n = sums.get(k, (0.0, 0))
            sums[k] = (total + v.item(), n + 1)
        counted += 1
        minutes += min(time.time() - began, 20) / 60  # a paused machine is no training
        if counted == 100:
            print(f"{minutes:7.2f} min, step {step}, " + ", ".join(f"{k} {t / n:.4g}" for k, (t, n) in sums.items()), flush=True)
            sums, counted = {}, 0
        if minutes - last_save > a.save_every:
            save()
            last_save = minutes
            found = measure(mean, validation)
            print(f"{minutes:7.2f} min, step {step}: {found}", flush=True)
            log.writerow([round(minutes, 2), step, json.dumps(found)])
    save()
    found, (centre, deviation) = measure(mean, validation), statistics(mean, [world.pick(pick)[0] for _ in range(12)])
    print(f"end at {minutes:.2f} min, step {step}: {found}", flush=True)
    about = {k: v for k, v in vars(a).items() if k not in ("name", "world", "validation", "threads", "save_every")}
    magvit.save(mean, folder / "export", centre, deviation, {"training": {**about, "steps": step, "minutes": round(minutes, 1)}, "measured": {"world": found}})


if __name__ == "__main__":
    main()
