"""Trains the autoencoder (AutoencoderKLWan, patchified residual layout). Resumes from its last checkpoint.

    python autoencoder.py --name v1 --minutes 60

The residual branches start at zero and the norms at the ends nearly linear, so that the network begins as a linear
codec: the first `--linear` minutes train only that (a fifth of the cost); until minute `--coarse` the branches at the
finest resolution are left out (half the cost); then everything trains.
"""

import argparse
import csv
import math
import signal
import time

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKLWan

import data
import wholesequence
from optimiser import Muon
from precision import autocast

BETA = 1e-6  # weight of the KL divergence


def build(decoder_base=32, multipliers=(1, 2, 2), channels=16):
    vae = AutoencoderKLWan(
        base_dim=32,
        decoder_base_dim=decoder_base,
        z_dim=channels,
        dim_mult=list(multipliers),
        num_res_blocks=2,
        attn_scales=[],
        temperal_downsample=[True, True],
        latents_mean=[0.0] * channels,
        latents_std=[1.0] * channels,
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        scale_factor_temporal=4,
        scale_factor_spatial=8,
    )
    initialise(vae)
    return vae


@torch.no_grad()
def initialise(vae):
    """Residual branches at zero; resampling in time as picking or repeating frames; one constant channel before the
    last norms, which keeps them nearly linear; log-variance of the posterior at -6."""
    for name, module in vae.named_modules():
        if name.endswith("conv2"):
            module.weight.zero_()
            module.bias.zero_()
        if name.endswith("attentions.0"):
            module.proj.weight.zero_()
            module.proj.bias.zero_()
        if name.endswith("time_conv"):
            channels = module.weight.shape[1]
            module.bias.zero_()
            module.weight.mul_(0.3)
            for out in range(module.weight.shape[0]):
                module.weight[out, out % channels, -1, 0, 0] += 1
    for norm, source in [
        (vae.encoder.norm_out, vae.encoder.down_blocks[-2].downsampler),
        (vae.decoder.norm_out, vae.decoder.up_blocks[-1].resnets[0].conv_shortcut),
    ]:
        last = source.resample[1] if hasattr(source, "resample") else source
        last.weight[-1] = 0
        last.bias[-1] = 3
        if hasattr(source, "time_conv"):
            source.time_conv.weight[-1] = 0
            source.time_conv.bias[-1] = 3
    vae.encoder.conv_out.bias.zero_()
    channels = vae.config.z_dim
    vae.quant_conv.weight[channels:] *= 0.1
    vae.quant_conv.bias[channels:] = -6


def start_weights(name):
    if name == "exported":
        return AutoencoderKLWan.from_pretrained(data.MODEL / "vae", torch_dtype=torch.float32).state_dict()
    return torch.load(data.CACHE / f"autoencoder-{name}" / "last.pt", weights_only=False)["averaged"]


@torch.no_grad()
def silence_finest(vae):
    """Residual branches at the finest resolution to zero while they take no part: the network is the same without them."""
    for resnet in [*vae.encoder.down_blocks[0].resnets, *vae.decoder.up_blocks[-1].resnets]:
        resnet.conv2.weight.zero_()
        resnet.conv2.bias.zero_()


def psnr(a, b):
    """Of two pixel tensors in -1..1, in decibels, from the mean squared error over everything."""
    return -10 * math.log10((((a.clamp(-1, 1) - b) / 2) ** 2).mean().item() + 1e-12)


@torch.no_grad()
def validate(vae, detail=wholesequence.FULL, limit=9):
    """Mean PSNR over the nine real test clips, and over clips of the world's validation seeds (None without any)."""
    def score(clips):
        values = []
        for clip in clips:
            x = data.to_batch([clip])
            with autocast():
                mean, _ = wholesequence.encode(vae, x, detail)
                y = wholesequence.decode(vae, mean, detail)
            values.append(psnr(y, x))
        return float(np.mean(values)) if values else float("nan")

    world = data.WorldShards("v2-val", training=False)
    if not len(world):
        world = data.WorldShards("v1")
    random = np.random.default_rng(1)
    rendered = [world.pick(random)[0] for _ in range(limit)] if len(world) else []
    return score([clip for _, clip in data.test_clips()[:limit]]), score(rendered)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="v1")
    parser.add_argument("--world", nargs="*", default=["v1", "v2"])
    parser.add_argument("--minutes", type=float, default=60, help="length of the learning-rate schedule, in minutes of training")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, nargs=3, default=[9, 64, 64], help="frames, height, width")
    parser.add_argument("--rate", type=float, default=1e-2, help="Muon's learning rate; Adam's is --adam-rate")
    parser.add_argument("--adam-rate", type=float, default=2e-3)
    parser.add_argument("--optimiser", default="muon")
    parser.add_argument("--linear", type=float, default=0, help="minutes of the linear warm start")
    parser.add_argument("--coarse", type=float, default=0, help="minute until which the finest resolution's branches are left out")
    parser.add_argument("--start", help="name of another training whose weights to begin with, or `exported` for those of the model folder")
    parser.add_argument("--freeze-encoder", action="store_true", help="train the decoder alone, on the latents that there are")
    parser.add_argument("--real-share", type=float, default=0.4)
    parser.add_argument("--decoder-base", type=int, default=32)
    parser.add_argument("--multipliers", type=int, nargs=3, default=[1, 2, 2])
    parser.add_argument("--channels", type=int, default=16, help="of the latents; the model folder has 16, fewer are for comparisons at another rate")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--ema", type=float, default=0.998)
    parser.add_argument("--validate-every", type=float, default=4, help="minutes")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    folder = data.CACHE / f"autoencoder-{options.name}"
    folder.mkdir(parents=True, exist_ok=True)
    vae, averaged = (build(options.decoder_base, options.multipliers, options.channels) for _ in range(2))
    averaged.load_state_dict(vae.state_dict())
    optimiser = Muon(vae, options.rate, options.adam_rate, options.optimiser == "muon")
    step, elapsed = 0, 0.0
    if not (folder / "last.pt").exists() and options.start:
        weights = start_weights(options.start)
        vae.load_state_dict(weights)
        averaged.load_state_dict(weights)
    if (folder / "last.pt").exists():
        saved = torch.load(folder / "last.pt", weights_only=False)
        vae.load_state_dict(saved["model"])
        averaged.load_state_dict(saved["averaged"])
        optimiser.load_state_dict(saved["optimiser"])
        step, elapsed = saved["step"], saved["elapsed"]
    random = np.random.default_rng([options.seed, step])
    real, world = data.RealMaterial(), data.WorldShards(*options.world)
    if options.compile:
        wholesequence.compile_activations()

    def save():
        torch.save(
            {"model": vae.state_dict(), "averaged": averaged.state_dict(), "optimiser": optimiser.state_dict(),
             "step": step, "elapsed": elapsed, "options": vars(options)},
            folder / "last.pt.new",
        )
        (folder / "last.pt.new").replace(folder / "last.pt")

    log = open(folder / "log.csv", "a", newline="")
    writer = csv.writer(log)
    silenced = False
    last, since_validation, losses = time.time(), 0.0, []
    frames, height, width = options.crop
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))  # stop after the step in progress, and save
    while elapsed < options.minutes * 60 and not stopping:
        progress = elapsed / (options.minutes * 60)
        minutes = elapsed / 60
        detail = wholesequence.LINEAR if minutes < options.linear else wholesequence.COARSE if minutes < options.coarse else wholesequence.FULL
        if detail == wholesequence.COARSE and not silenced:
            silence_finest(vae)
            silence_finest(averaged)
            silenced = True
        warm = min(1.0, (step + 1) / 50)
        factor = warm * (0.5 + 0.5 * math.cos(math.pi * progress)) + 0.01
        x = data.crops(random, real, world, options.batch, frames, height, width, options.real_share)
        with autocast():
            with torch.set_grad_enabled(not options.freeze_encoder):
                mean, log_variance = wholesequence.encode(vae, x, wholesequence.encoder_detail(vae) if options.freeze_encoder else detail)
            log_variance = log_variance.clamp(-30, 20)
            z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
            y = wholesequence.decode(vae, z, detail)
        difference = y - x
        loss = 0.5 * difference.abs().mean() + 3 * difference.square().mean()  # about equal parts at 22 dB
        kl = 0.5 * (mean * mean + log_variance.exp() - 1 - log_variance).sum(dim=(1, 2, 3, 4)).mean() / (x[0].numel())
        (loss + BETA * 48 * kl).backward()
        optimiser.step(factor)
        with torch.no_grad():
            keep = min(options.ema, (step + 1) / (step + 10))
            for slow, fast in zip(averaged.parameters(), vae.parameters()):
                slow.lerp_(fast, 1 - keep)
        losses.append((loss.item(), psnr(y.detach(), x), kl.item()))
        step += 1
        now = time.time()
        elapsed, since_validation, last = elapsed + now - last, since_validation + now - last, now
        if step % 20 == 0:
            l, p, k = np.mean(losses, axis=0)
            losses = []
            writer.writerow([step, round(elapsed, 1), round(l, 5), round(float(p), 2), round(float(k), 4)])
            log.flush()
            print(f"{step} {elapsed / 60:.2f} min  loss {l:.4f}  crops {p:.2f} dB  kl {k:.3f}  std {mean.std().item():.2f}", flush=True)
        if since_validation > options.validate_every * 60:
            since_validation = 0.0
            scores = validate(averaged, detail)
            print(f"validation at {elapsed / 60:.1f} min: real {scores[0]:.2f} dB, world {scores[1]:.2f} dB, world clips {len(world.refresh())}", flush=True)
            save()
            last = time.time()
    save()
    if stopping:
        return
    averaged.save_pretrained(folder / "export")  # for `motif evaluate vidtwin --autoencoder`; export.py fills the model folder
    scores = validate(averaged, detail)
    print(f"end: real {scores[0]:.2f} dB, world {scores[1]:.2f} dB", flush=True)


if __name__ == "__main__":
    main()
