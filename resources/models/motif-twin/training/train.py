"""Trains VidTwin on rendered clips and on the real material, on one core of a processor; goes on where it was stopped.

    python train.py --name v1 --world c --minutes 120

The linear path begins as the best linear code of cells that overlap, and the rest as nothing beside it, so that training has only to better that. The
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
SIZES = [(128, 128), (96, 176), (176, 96)]  # height, width


@torch.no_grad()
def silence(model):
    """Lets every block begin as the identity, still with gradients: what leaves its branches is multiplied by zero."""
    for layer in [*model.encoder, *model.decoder]:
        for linear in (layer.space_out, layer.time_out, layer.down):
            linear.weight.zero_()


@torch.no_grad()
def principal(rows, count):
    """The mean of rows [n, d], their first principal components [count, d], and the energy of each [count]."""
    mean = rows.mean(0)
    _, singular, vectors = torch.pca_lowrank(rows - mean, min(count + 16, *rows.shape), center=False, niter=3)
    return mean, vectors.T[:count], singular[:count].square() / len(rows)


def begin_direct(model, draw, deviation=4.0, batches=20, steps=1500):
    """Lets the linear path begin as principal components, of patches and then of what a cell gathers, and then as the best linear code of cells that
    overlap: steps of Adam on cells alone. Latents begin with one deviation, far above the noise that they get; the network's own part of their means
    begins as nothing, and what it reads has a deviation of one. `draw` gives a hundred clips [n, 3, frames, h, w]; of fewer than some two thousand in all
    the cells' weights learn the clips by heart. It takes a minute."""
    c, direct = model.config, model.direct
    with torch.no_grad():
        patches = torch.cat([model.pixel_patches(draw()).flatten(0, 2)[::4] for _ in range(5)])
        mean, basis, energy = principal(patches, c.direct)
        for layer, weight, bias in ((direct.narrow, basis, -basis @ mean), (direct.widen, basis.T, mean)):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        model.patch_in.weight.div_(energy.sqrt())
        model.structure.bottle_up.weight.div_(deviation)
        cells = torch.cat([direct.gather(model.patches(x), *model.grid(*x.shape[-2:])) for x in (draw() for _ in range(batches))])
        mean, basis, energy = principal(cells.movedim(1, -1).flatten(0, 2), c.queries * c.structure_dim)
        scale = (deviation / energy.sqrt())[:, None]
        for layer, weight, bias in ((direct.cells_in, basis * scale, -(basis * scale) @ mean), (direct.cells_out, (basis / scale).T, mean)):
            layer.weight.zero_()
            layer.weight[..., 1, 1] = weight
            layer.bias.copy_(bias)
        head = model.structure.bottle_down
        head.weight[: len(head.bias) // 2] = 0
    layers = [direct.cells_in, direct.cells_out]
    adam = torch.optim.Adam([p for layer in layers for p in layer.parameters()], 3e-4)
    for step in range(steps):
        x = cells[torch.randint(len(cells), (32,))]
        (direct.cells_out(direct.cells_in(x)) - x).square().mean().backward()
        adam.param_groups[0]["lr"] = 3e-4 * min(1.0, 3 * (1 - step / steps))
        adam.step()
        adam.zero_grad(set_to_none=True)


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
    p.add_argument("--from-plateau", action="store_true", help="go on from the state before the rate fell")
    p.add_argument("--real-share", type=float, default=0.5)
    p.add_argument("--clips", type=int, default=12, help="in a step; fewer for presets with patches of one frame, which have many times the tokens")
    p.add_argument("--direct-rate", type=float, default=3e-4, help="AdamW's for the linear path")
    p.add_argument("--squares", type=float, default=5.0, help="weight of the squared error beside the absolute one")
    p.add_argument("--perceptual", type=float, default=0.05)
    p.add_argument("--perceptual-start", type=float, default=0.7, help="share of the time")
    p.add_argument("--gan", type=float, default=0, help="weight of the patch discriminator; 0.05 in the paper's loss")
    p.add_argument("--gan-start", type=float, default=0.8)
    p.add_argument("--kl", type=float, default=0.001)
    p.add_argument("--drop-dynamics", type=float, default=0.1, help="share of clips decoded from structure only; four times that at the start, without the linear path")
    p.add_argument("--drop-structure", type=float, default=0.02)
    p.add_argument("--no-compile", action="store_true")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    random = np.random.default_rng(a.seed)
    config = replace(vidtwin.PRESETS[a.preset], **vidtwin.ABLATIONS[a.ablation])
    model, mean = vidtwin.VidTwin(config), vidtwin.VidTwin(config)
    silence(model)
    real, world = data.RealMaterial(), data.WorldShards(*a.world)
    if model.direct and not (CACHE / a.name / "state.pt").exists():
        begin_direct(model, lambda: data.crops(random, real, world, 100, 16, 128, 128, a.real_share))
    model.run_block = vidtwin.block if a.no_compile else torch.compile(vidtwin.block, dynamic=False)
    optimiser = Muon(model, a.rate, a.adam_rate, plain=["modulation", "patch_in", "patch_out", "queries", "direct"], rates={"direct": a.direct_rate})
    judge = Discriminator() if a.gan else None
    judge_optimiser = torch.optim.AdamW(judge.parameters(), lr=1e-4, betas=(0.9, 0.99)) if judge else None
    perceptual = Perceptual(HERE.parents[1] / "motif-judge" / "model.safetensors").eval() if a.perceptual else None

    plateau = CACHE / a.name / "plateau.pt"
    source = plateau.name if a.from_plateau and plateau.exists() else "state.pt"
    more = {"judge": judge, "judge_optimiser": judge_optimiser} if judge else {}
    run = Run(CACHE / a.name, a, model, mean, optimiser, random, source, more)

    held_out, pick = data.WorldShards(*a.validation, training=False), np.random.default_rng(7)
    checks = {"world": [held_out.pick(pick)[0] for _ in range(12)]} if len(held_out) else {}
    print(f"{vidtwin.parameters(model)} parameters, rate {config.rate():.4%}, {len(world)} world clips", flush=True)
    found = lambda: {k: measure(mean, v) for k, v in checks.items()}
    print(f"before the next step: {found()}", flush=True)
    while run.going():
        progress = run.progress
        if progress > 1 - a.fall and not plateau.exists():
            run.save(plateau.name)
        (h, w), b = SIZES[random.integers(len(SIZES))], a.clips
        x = data.crops(random, real, world, b, 16, h, w, a.real_share)
        keep = random.random(b)
        lagging = 0.0 if config.has_direct else 3 * max(0.0, 1 - progress / 0.3)  # structure learns later than dynamics
        drop_d = keep < a.drop_dynamics * (1 + lagging)
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
