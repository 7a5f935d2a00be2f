"""Trains the autoencoder (AutoencoderKLWan, patchified residual layout). Resumes from its last checkpoint.

    python autoencoder.py --name v1 --minutes 60

The residual branches start at zero and the norms at the ends nearly linear, so that the network begins as a linear
codec: the first `--linear` minutes train only that (a fifth of the cost); until minute `--coarse` the branches at the
finest resolution are left out (half the cost); then everything trains. Towards the end it may be judged by features and by a
patch discriminator besides, which sharpen what squared errors alone blur.
"""

import argparse

import numpy as np
import torch
from diffusers import AutoencoderKLWan

import data
import wholesequence
from losses import Critic, Perceptual, psnr
from optimiser import Muon
from precision import autocast
from run import Run, add_options

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


def load(name):
    """The autoencoder of a training, or `exported` for that of the model folder, as it is used: without gradients."""
    if name == "exported":
        vae = AutoencoderKLWan.from_pretrained(data.MODEL / "vae", torch_dtype=torch.float32)
    else:
        saved = torch.load(data.CACHE / f"autoencoder-{name}" / "state.pt", weights_only=False)
        vae = build(*(saved["options"][key] for key in ("decoder_base", "multipliers", "channels")))
        vae.load_state_dict(saved["mean"])
    return vae.eval().requires_grad_(False)


def widened(weights, fresh, channels):
    """`weights` of an autoencoder with fewer latent channels in the shapes of `fresh`, the state of a new one of `channels`: the old channels keep their
    places and what they mean, the encoder's new ones are the fresh ones', and the decoder does not listen to them yet, so that both networks decode alike."""
    before = weights["post_quant_conv.weight"].shape[0]
    if before == channels:
        return weights
    halves = [*range(before), *range(channels, channels + before)]  # means first, then log-variances
    rows = {"encoder.conv_out": halves, "quant_conv": halves, "post_quant_conv": range(before)}
    columns = {"quant_conv": halves, "post_quant_conv": range(before), "decoder.conv_in": range(before)}
    result = dict(weights)
    for part in {*rows, *columns}:
        old, new = weights[f"{part}.weight"], fresh[f"{part}.weight"].clone()
        out, into = list(rows.get(part, range(old.shape[0]))), list(columns.get(part, range(old.shape[1])))
        if part == "decoder.conv_in":
            new.zero_()
        else:
            new[out] = 0
        new[torch.tensor(out)[:, None], torch.tensor(into)] = old
        result[f"{part}.weight"] = new
        if part in rows:
            bias = fresh[f"{part}.bias"].clone()
            bias[out] = weights[f"{part}.bias"]
            result[f"{part}.bias"] = bias
    return result


@torch.no_grad()
def silence_finest(vae):
    """Residual branches at the finest resolution to zero while they take no part: the network is the same without them."""
    for resnet in [*vae.encoder.down_blocks[0].resnets, *vae.decoder.up_blocks[-1].resnets]:
        resnet.conv2.weight.zero_()
        resnet.conv2.bias.zero_()


@torch.no_grad()
def measure(vae, sets, detail=wholesequence.FULL):
    """Mean PSNR of each set of clips {name: [uint8 frames, height, width, 3]}."""
    found = {}
    for name, clips in sets.items():
        values = []
        for clip in clips:
            x = data.to_batch([clip])
            with autocast():
                y = wholesequence.decode(vae, wholesequence.encode(vae, x, detail)[0], detail)
            values.append(psnr(y.float(), x).item())
        found[name] = round(float(np.mean(values)), 2)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, nargs=3, default=[9, 64, 64], help="frames, height, width")
    parser.add_argument("--linear", type=float, default=0, help="minutes of the linear warm start")
    parser.add_argument("--coarse", type=float, default=0, help="minute until which the finest resolution's branches are left out")
    parser.add_argument("--start", help="name of another training whose weights to begin with, or `exported` for those of the model folder; both may have fewer channels")
    parser.add_argument("--freeze-encoder", action="store_true", help="train the decoder alone, on the latents that there are")
    parser.add_argument("--real-share", type=float, default=0.4)
    parser.add_argument("--decoder-base", type=int, default=32)
    parser.add_argument("--multipliers", type=int, nargs=3, default=[1, 2, 2])
    parser.add_argument("--channels", type=int, default=16, help="of the latents")
    parser.add_argument("--perceptual", type=float, default=0, help="weight of the distance of features")
    parser.add_argument("--perceptual-start", type=float, default=0.6, help="share of the time")
    parser.add_argument("--gan", type=float, default=0, help="weight of the patch discriminator")
    parser.add_argument("--gan-start", type=float, default=0.7)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    folder, random = data.CACHE / f"autoencoder-{options.name}", np.random.default_rng(options.seed)
    vae, averaged = (build(options.decoder_base, options.multipliers, options.channels) for _ in range(2))
    if options.start and not (folder / "state.pt").exists():
        vae.load_state_dict(widened(load(options.start).state_dict(), vae.state_dict(), options.channels))
    real, world, held_out = data.RealMaterial(), data.WorldShards(*options.world), data.WorldShards(*options.validation, training=False)
    pick = np.random.default_rng(1)
    checks = {"real": [clip for _, clip in data.test_clips()], "world": [held_out.pick(pick)[0] for _ in range(27)] if len(held_out) else []}
    perceptual = Perceptual() if options.perceptual else None
    critic = Critic(options.gan) if options.gan else None
    run = Run(folder, options, vae, averaged, Muon(vae, options.rate, options.adam_rate), random, more={"critic": critic} if critic else {})
    if options.compile:
        wholesequence.compile_activations()
    phase = lambda: wholesequence.LINEAR if run.minutes < options.linear else wholesequence.COARSE if run.minutes < options.coarse else wholesequence.FULL
    found = lambda: {**measure(averaged, {name: clips for name, clips in checks.items() if clips}, phase()), "clips": len(world.refresh())}
    silenced = False
    frames, height, width = options.crop
    while run.going():
        detail = phase()
        if detail == wholesequence.COARSE and not silenced:
            silence_finest(vae)
            silence_finest(averaged)
            silenced = True
        x = data.crops(random, real, world, options.batch, frames, height, width, options.real_share)
        with autocast():
            with torch.set_grad_enabled(not options.freeze_encoder):
                mean, log_variance = wholesequence.encode(vae, x, wholesequence.encoder_detail(vae) if options.freeze_encoder else detail)
            log_variance = log_variance.clamp(-30, 20)
            z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
            y = wholesequence.decode(vae, z, detail)
        difference = y - x
        kl = 0.5 * (mean * mean + log_variance.exp() - 1 - log_variance).sum(dim=(1, 2, 3, 4)).mean() / (x[0].numel())
        parts = {"l1": difference.abs().mean(), "squares": difference.square().mean(), "kl": kl, "psnr": psnr(y.detach(), x).mean()}
        loss = 0.5 * parts["l1"] + 3 * parts["squares"] + BETA * 48 * kl  # the first two about equal at 22 dB
        some = torch.from_numpy(np.sort(random.choice(frames, 4, replace=False)))
        flat = lambda v: v[:, :, some].transpose(1, 2).flatten(0, 1)
        if perceptual and run.progress > options.perceptual_start:
            with autocast():
                parts["perceptual"] = perceptual(flat(y), flat(x))
            loss = loss + options.perceptual * parts["perceptual"]
        if critic and run.progress > options.gan_start:
            parts["critic"] = critic.learn(flat(y), flat(x))
            if run.progress > options.gan_start + 0.03:
                loss = loss + critic.loss(flat(y), loss, vae.decoder.conv_out.weight)
        run.learn(loss, parts, found)
    run.end(found)
    averaged.save_pretrained(folder / "export")  # for `motif evaluate vidtwin --autoencoder`; export.py fills the model folder


if __name__ == "__main__":
    main()
