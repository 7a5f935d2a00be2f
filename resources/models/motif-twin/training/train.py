"""Trains VidTwin on rendered clips and on the real material, on one core of a processor; goes on where it was stopped.

    python train.py --name v1 --world c --minutes 120

Clips are steadied first (steady.py, which needs opencv). A twin with a linear code begins as that, and learns for --begin-minutes without pixels (begin.py). The rate stays as it is and falls linearly over the
last share of the time (--fall); the state before the fall is kept, and a longer training (a larger --minutes with --from-plateau) goes on from there.
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
import steady  # noqa: E402
import vidtwin  # noqa: E402
from begin import begin  # noqa: E402
from losses import Critic, Perceptual, psnr, ssim  # noqa: E402
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
def measure(model, clips):
    """Means over clips uint8 [16, h, w, 3]: PSNR and SSIM of the reconstruction, PSNR of structure only and of dynamics only."""
    rows = []
    for clip in clips:
        clip = clip[:16]
        path = steady.camera_path(clip) if model.config.steadied else None
        x, size = data.to_batch([clip]), clip.shape[1:3]
        with autocast():
            z_s, z_d = model.encode(x if path is None else data.to_batch([steady.steady(clip, path)]))
            made = [model.decode(z_s, z_d, size)] * 3  # what one latent holds, both hold
            if z_d is not None:
                made[1:] = model.decode_structure(z_s, size), model.decode_dynamics(z_d, size)
        if path is not None:
            moved = lambda y: torch.from_numpy(steady.unsteady(y[0].float().permute(1, 2, 3, 0).numpy(), path)).permute(3, 0, 1, 2)[None]
            made = [moved(y) if i != 1 else y for i, y in enumerate(made)]
        both, s, d = (y.float() for y in made)
        rows.append([psnr(both, x).item(), ssim(both, x).item(), psnr(s, x).item(), psnr(d, x).item()])
    return dict(zip(["psnr", "ssim", "psnrStructure", "psnrDynamics"], np.round(np.mean(rows, 0), 3).tolist()))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(p)
    p.add_argument("--preset", default="motif-twin")
    p.add_argument("--ablation", choices=list(vidtwin.ABLATIONS), default="full")
    p.add_argument("--from-plateau", action="store_true", help="go on from the state before the rate fell")
    p.add_argument("--real-share", type=float, default=0.5)
    p.add_argument("--steadied", type=int, default=8000, help="so many clips are steadied before training, each used often; a tenth of a second each")
    p.add_argument("--clips", type=int, default=12, help="in a step; fewer for presets with patches of one frame, which have many times the tokens")
    p.add_argument("--begin-minutes", type=float, default=40, help="of a core's time, without pixels")
    p.add_argument("--direct-rate", type=float, default=3e-4, help="AdamW's for the linear code")
    p.add_argument("--squares", type=float, default=5.0, help="weight of the squared error beside the absolute one")
    p.add_argument("--perceptual", type=float, default=0.05)
    p.add_argument("--perceptual-start", type=float, default=0.7, help="share of the time")
    p.add_argument("--gan", type=float, default=0, help="weight of the patch discriminator; 0.05 in the paper's loss")
    p.add_argument("--gan-start", type=float, default=0.8)
    p.add_argument("--kl", type=float, default=0.001)
    p.add_argument("--drop-dynamics", type=float, default=0.1, help="share of clips decoded from structure only; four times that at the start, without the linear code")
    p.add_argument("--drop-structure", type=float, default=0.02)
    p.add_argument("--no-compile", action="store_true")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    random = np.random.default_rng(a.seed)
    config = replace(vidtwin.PRESETS[a.preset], **vidtwin.ABLATIONS[a.ablation])
    model, mean = vidtwin.VidTwin(config), vidtwin.VidTwin(config)
    silence(model)
    sizes = SIZES[:1] if config.disentangle and model.structure.whole else SIZES  # one Q-Former over all places knows one size only
    real, world = data.RealMaterial(), data.WorldShards(*a.world)
    crop = lambda count, h, w: data.crops(random, real, world, count, 16, h, w, a.real_share)
    if config.steadied:
        shares = dict(zip(sizes, (0.7, 0.15, 0.15)))
        steadied = steady.SteadyClips(CACHE / "steadied", lambda h, w: crop(1, h, w), {size: round(a.steadied * share) for size, share in shares.items()})
    batch = lambda count, size: steadied.batch(random, count, size) if config.steadied else crop(count, *size)
    held_out, pick = data.WorldShards(*a.validation, training=False), np.random.default_rng(7)
    checks = {"world": [held_out.pick(pick)[0] for _ in range(12)]} if len(held_out) else {}
    found = lambda: {k: measure(mean, v) for k, v in checks.items()}
    if model.direct and not (CACHE / a.name / "state.pt").exists():
        begin(model, mean, batch, sizes, CACHE / a.name / "begin", a, random, found)
    model.run_block = vidtwin.block if a.no_compile else torch.compile(vidtwin.block, dynamic=False)
    optimiser = Muon(model, a.rate, a.adam_rate, plain=["modulation", "patch_in", "patch_out", "queries", "direct"], rates={"direct": a.direct_rate})
    critic = Critic(a.gan) if a.gan else None
    perceptual = Perceptual() if a.perceptual else None

    plateau = CACHE / a.name / "plateau.pt"
    source = plateau.name if a.from_plateau and plateau.exists() else "state.pt"
    more = {"critic": critic} if critic else {}
    run = Run(CACHE / a.name, a, model, mean, optimiser, random, source, more)

    print(f"{vidtwin.parameters(model)} parameters, rate {config.rate():.4%}, {len(world)} world clips", flush=True)
    print(f"before the next step: {found()}", flush=True)
    while run.going():
        progress = run.progress
        if progress > 1 - a.fall and not plateau.exists():
            run.save(plateau.name)
        (h, w), b = sizes[random.integers(len(sizes))], a.clips
        x = batch(b, (h, w))
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
        if critic and progress > a.gan_start:
            parts["critic"] = critic.learn(flat(made), flat(x))
            if progress > a.gan_start + 0.03:
                loss = loss + critic.loss(flat(made), loss, model.patch_out.weight)
        run.learn(loss, parts, found)
    measured = run.end(found)
    vidtwin.save(mean, run.folder / "export", {"training": run.about("no_compile", "from_plateau"), "measured": measured})


if __name__ == "__main__":
    main()
