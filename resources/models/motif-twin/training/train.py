"""Trains VidTwin on rendered clips and on the real material, on one core of a processor; goes on where it was stopped.

    python train.py --name v1 --world c --minutes 120

The blocks begin as nothing: for the first minutes (--linear) they are passed by, and patches, structure and dynamics alone learn a codec
in steps that cost an eighth; from then on the blocks better it. Crops of 64 x 64 first, then of 64 x 128 and 128 x 128 pixels, with as many tokens in each step: small ones teach nearly as much for a
quarter of the time. The position of a crop's corner is drawn, so that the positions of a whole picture are known from the beginning. The
rate stays as it is and falls linearly over the last share of the time (--fall); the state before the fall is kept, and a longer training
(a larger --minutes with --from-plateau) goes on from there.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "motif-tiny" / "training"))

import data  # noqa: E402
import vidtwin  # noqa: E402
from losses import Discriminator, Perceptual, psnr, ssim  # noqa: E402
from optimiser import Muon  # noqa: E402
from precision import autocast  # noqa: E402
from run import Run, add_options  # noqa: E402

CACHE = data.CACHE / "twin"
PLAN = [(64, 64, 4), (64, 128, 2), (128, 64, 2), (128, 128, 1)]  # height, width, clips: 4,096 tokens each


def shares(progress):
    """How often each of PLAN is drawn."""
    large = min(1.0, max(0.0, (progress - 0.35) / 0.4))
    return np.array([0.85 - 0.65 * large, 0.05 + 0.075 * large, 0.05 + 0.075 * large, 0.05 + 0.5 * large])


def shifted_positions(model, most=32):
    """Lets training draw the corner that a crop's positions begin at; returns the function that sets it."""
    c = model.config
    table = vidtwin.positions(c.frames, most, most, c.hidden).view(c.frames, most, most, c.hidden)
    corner = [0, 0]
    model.positions = lambda rows, columns, device: table[:, corner[0] : corner[0] + rows, corner[1] : corner[1] + columns].reshape(c.frames, rows * columns, -1)
    return lambda row, column: corner.__setitem__(slice(None), [row, column])


@torch.no_grad()
def silence(model):
    """Lets every block begin as the identity, still with gradients: what leaves its branches is multiplied by zero."""
    for layer in [*model.encoder, *model.decoder]:
        for linear in (layer.space_out, layer.time_out, layer.down):
            linear.weight.zero_()


def passed_by(x, *_):
    """A block that does nothing."""
    return x


@torch.no_grad()
def measure(model, clips):
    """Means over clips uint8 [16, h, w, 3]: PSNR and SSIM of the reconstruction, PSNR of structure only and of dynamics only."""
    rows = []
    for clip in clips:
        x = data.to_batch([clip[:16]])
        with autocast():
            z_s, z_d = model.encode(x)
            both, s, d = model.decode(z_s, z_d, x.shape[-2:]), model.decode_structure(z_s, x.shape[-2:]), model.decode_dynamics(z_d, x.shape[-2:])
        rows.append([psnr(both.float(), x).item(), ssim(both.float(), x).item(), psnr(s.float(), x).item(), psnr(d.float(), x).item()])
    return dict(zip(["psnr", "ssim", "psnrStructure", "psnrDynamics"], np.round(np.mean(rows, 0), 3).tolist()))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(p)
    p.add_argument("--preset", default="motif-twin")
    p.add_argument("--ablation", choices=list(vidtwin.ABLATIONS), default="full")
    p.add_argument("--linear", type=float, default=10, help="minutes without the blocks")
    p.add_argument("--from-plateau", action="store_true", help="go on from the state before the rate fell")
    p.add_argument("--real-share", type=float, default=0.5)
    p.add_argument("--squares", type=float, default=1.0, help="weight of the squared error beside the absolute one")
    p.add_argument("--perceptual", type=float, default=0.05)
    p.add_argument("--perceptual-start", type=float, default=0.7, help="share of the time")
    p.add_argument("--gan", type=float, default=0, help="weight of the patch discriminator; 0.05 in the paper's loss")
    p.add_argument("--gan-start", type=float, default=0.8)
    p.add_argument("--kl", type=float, default=0.001)
    p.add_argument("--drop-dynamics", type=float, default=0.1, help="share of clips decoded from structure only; four times that at the start")
    p.add_argument("--drop-structure", type=float, default=0.05)
    p.add_argument("--no-compile", action="store_true")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    random = np.random.default_rng(a.seed)
    config = replace(vidtwin.PRESETS[a.preset], **vidtwin.ABLATIONS[a.ablation])
    model, mean = vidtwin.VidTwin(config), vidtwin.VidTwin(config)
    silence(model)
    move = shifted_positions(model)
    run_block = vidtwin.block if a.no_compile else torch.compile(vidtwin.block, dynamic=False)
    optimiser = Muon(model, a.rate, a.adam_rate, plain=["modulation", "patch_in", "patch_out", "queries"])
    judge = Discriminator() if a.gan else None
    judge_optimiser = torch.optim.AdamW(judge.parameters(), lr=1e-4, betas=(0.9, 0.99)) if judge else None
    perceptual = Perceptual(HERE.parents[1] / "motif-judge" / "model.safetensors").eval() if a.perceptual else None

    plateau = CACHE / a.name / "plateau.pt"
    source = plateau.name if a.from_plateau and plateau.exists() else "state.pt"
    more = {"judge": judge, "judge_optimiser": judge_optimiser} if judge else {}
    run = Run(CACHE / a.name, a, model, mean, optimiser, random, source, more)

    real, world = data.RealMaterial(), data.WorldShards(*a.world)
    held_out, pick = data.WorldShards(*a.validation, training=False), np.random.default_rng(7)
    checks = {"world": [held_out.pick(pick)[0] for _ in range(12)]} if len(held_out) else {}
    print(f"{vidtwin.parameters(model)} parameters, rate {config.rate():.4%}, {len(world)} world clips", flush=True)
    found = lambda: {k: measure(mean, v) for k, v in checks.items()}
    while run.going():
        progress = run.progress
        if progress > 1 - a.fall and not plateau.exists():
            run.save(plateau.name)
        chances = shares(progress)
        h, w, b = PLAN[random.choice(len(PLAN), p=chances / chances.sum())]
        linear = run.minutes < a.linear
        b *= 4 if linear else 1
        model.run_block, mean.run_block = (passed_by, passed_by) if linear else (run_block, vidtwin.block)
        x = data.crops(random, real, world, b, 16, h, w, a.real_share)
        move(int(random.integers(0, 17 - h // 8)), int(random.integers(0, 23 - w // 8)))
        keep = random.random(b)
        drop_d = keep < a.drop_dynamics * (1 + 3 * max(0.0, 1 - progress / 0.3))
        drop_s = keep > 1 - a.drop_structure
        mask = lambda dropped: torch.from_numpy((~dropped).astype(np.float32)).view(b, 1, 1, 1)
        factors = {"keep_s": mask(drop_s), "keep_d": mask(drop_d)} if config.disentangle else {}
        with autocast():
            made, kl = model(x, **factors)
        difference = made - x
        parts = {"l1": difference.abs().mean(), "squares": difference.square().mean(), "kl": kl}
        loss = parts["l1"] + a.squares * parts["squares"] + a.kl / (3 * h * w) * kl
        frames = torch.from_numpy(np.sort(random.choice(16, 4, replace=False)))
        flat = lambda v: v[:, :, frames].transpose(1, 2).flatten(0, 1)
        if perceptual and progress > a.perceptual_start:
            with autocast():
                parts["perceptual"] = perceptual(flat(made), flat(x))
            loss = loss + a.perceptual * parts["perceptual"]
        if judge and progress > a.gan_start:
            with autocast():
                fake, true = judge(flat(made).detach()), judge(flat(x))
            parts["gan_d"] = 0.5 * (torch.relu(1 - true).mean() + torch.relu(1 + fake).mean())
            judge_optimiser.zero_grad(set_to_none=True)
            parts["gan_d"].backward()
            judge_optimiser.step()
            if progress > a.gan_start + 0.03:
                judge.requires_grad_(False)
                with autocast():
                    g = -judge(flat(made)).mean()
                judge.requires_grad_(True)
                last = model.patch_out.weight
                base, other = (torch.autograd.grad(v, last, retain_graph=True)[0].norm() for v in (loss, g))
                loss = loss + (base / (other + 1e-4)).clamp(0, 1e4).detach() * a.gan * g
                parts["gan_g"] = g
        run.learn(loss, parts, found)
    measured = run.end(found)
    vidtwin.save(mean, run.folder / "export", {"training": run.about("no_compile", "from_plateau"), "measured": measured})


if __name__ == "__main__":
    main()
