"""A causal video autoencoder in the manner of MAGVIT-v2 (arXiv 2310.05737), with the parts that table 4 of Set-and-Sequence (arXiv 2502.14844)
names: channel multipliers, strides in time and space, replicate padding, a Gaussian latent, adaptive group norm in the decoder.

    moments(clip) -> mean, log-variance      decode(z) -> clip

Clips are [b, 3, 1 + k s, h, w] in -1..1, latents [b, z, 1 + k, h / r, w / r], with s and r the products of the strides. No frame sees a later
one: norms, too, are of one frame alone. Where the paper is silent, these are our readings: channels change where the resolution does, and
the adaptive norm is told mean and deviation of each latent channel over the frame.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

EPSILON = 1e-6


@dataclass(frozen=True)
class Config:
    name: str = "tiny"
    in_channels: int = 3
    latent_channels: int = 11  # 0.253 % for 17 frames of 128 x 128, about what motif-twin has
    base_channels: int = 16
    # one entry a stage, from pixels to latents; the strides lie behind a stage, so the last has none
    channel_multipliers: tuple = (1, 2, 3, 4, 4)
    encoder_blocks: tuple = (1, 1, 2, 2, 2)
    decoder_blocks: tuple = (1, 1, 2, 2, 2)
    frame_strides: tuple = (1, 2, 2, 2, 1)
    spatial_strides: tuple = (2, 2, 2, 2, 1)
    norm_groups: int = 8

    @property
    def channels(self):
        return [self.base_channels * multiplier for multiplier in self.channel_multipliers]

    @property
    def strides(self):
        """(frames, height, width) behind each stage but the last."""
        return [(f, s, s) for f, s in zip(self.frame_strides, self.spatial_strides)][:-1]

    def rate(self, frames, height, width):
        """Numbers in the latents per number in the pixels."""
        f, s = math.prod(self.frame_strides), math.prod(self.spatial_strides)
        return self.latent_channels * (1 + (frames - 1) // f) * (height // s) * (width // s) / (3 * frames * height * width)


PRESETS = {
    "tiny": Config(),
    "paper": Config(
        "paper", latent_channels=32, channel_multipliers=(1, 4, 16, 32, 64), encoder_blocks=(1, 1, 2, 8, 8), decoder_blocks=(4, 4, 4, 4, 4), norm_groups=16
    ),
}


class CausalConv(nn.Conv3d):
    """3 x 3 x 3 that sees each frame and the two before it; what lies outside repeats the edge."""

    def __init__(self, inputs, outputs, stride=(1, 1, 1)):
        super().__init__(inputs, outputs, 3, stride=stride)

    def forward(self, x):
        return super().forward(F.pad(x, (1, 1, 1, 1, 2, 0), mode="replicate"))


class FrameNorm(nn.GroupNorm):
    """Group norm of each frame alone."""

    def __init__(self, groups, channels, affine=True):
        super().__init__(groups, channels, EPSILON, affine)

    def forward(self, x):
        return super().forward(x.transpose(1, 2).flatten(0, 1)).unflatten(0, (x.shape[0], x.shape[2])).transpose(1, 2)


class AdaptiveNorm(nn.Module):
    """Group norm whose scale and shift follow from the latent frame that a frame was made of."""

    def __init__(self, groups, channels, latent_channels):
        super().__init__()
        self.norm = FrameNorm(groups, channels, affine=False)
        self.linear = nn.Linear(2 * latent_channels, 2 * channels)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x, z):
        frames, latent_frames = x.shape[2], z.shape[2]
        seen = torch.cat([z.mean((3, 4)), (z.var((3, 4), unbiased=False) + EPSILON).sqrt()], 1)  # [b, 2 z, latent frames]
        given = self.linear(seen.transpose(1, 2)).transpose(1, 2)
        if latent_frames > 1:  # the first latent frame makes one frame, each other one as many as the strides say
            times = (frames - 1) // (latent_frames - 1)
            given = given.repeat_interleave(times, 2)[:, :, times - 1 :]
        scale, shift = given[..., None, None].chunk(2, 1)
        return self.norm(x) * (1 + scale) + shift


class Block(nn.Module):
    def __init__(self, channels, groups):
        super().__init__()
        self.norm1, self.conv1 = FrameNorm(groups, channels), CausalConv(channels, channels)
        self.norm2, self.conv2 = FrameNorm(groups, channels), CausalConv(channels, channels)

    def forward(self, x):
        return x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))


class EncoderStage(nn.Module):
    def __init__(self, c, i):
        super().__init__()
        self.blocks = nn.ModuleList(Block(c.channels[i], c.norm_groups) for _ in range(c.encoder_blocks[i]))
        if i < len(c.strides):
            self.down = CausalConv(c.channels[i], c.channels[i + 1], c.strides[i])

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.down(x) if hasattr(self, "down") else x


class DecoderStage(nn.Module):
    def __init__(self, c, i):
        super().__init__()
        self.adapt = AdaptiveNorm(c.norm_groups, c.channels[i], c.latent_channels)
        self.blocks = nn.ModuleList(Block(c.channels[i], c.norm_groups) for _ in range(c.decoder_blocks[i]))
        if i:
            self.strides = c.strides[i - 1]
            self.up = CausalConv(c.channels[i], c.channels[i - 1] * math.prod(self.strides))

    def forward(self, x, z):
        x = self.adapt(x, z)
        for block in self.blocks:
            x = block(x)
        return depth_to_space(self.up(x), self.strides) if hasattr(self, "up") else x


def depth_to_space(x, strides):
    """[b, c f h w, t, rows, columns] -> [b, c, 1 + (t - 1) f, rows h, columns w]: of the first frame's images in time only the last stays."""
    (f, h, w), (b, _, t, rows, columns) = strides, x.shape
    x = x.reshape(b, -1, f, h, w, t, rows, columns).permute(0, 1, 5, 2, 6, 3, 7, 4)
    return x.reshape(b, -1, t * f, rows * h, columns * w)[:, :, f - 1 :]


class Encoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv_in = CausalConv(c.in_channels, c.channels[0])
        self.stages = nn.ModuleList(EncoderStage(c, i) for i in range(len(c.channels)))
        self.norm_out, self.conv_out = FrameNorm(c.norm_groups, c.channels[-1]), CausalConv(c.channels[-1], 2 * c.latent_channels)

    def forward(self, x):
        x = self.conv_in(x)
        for stage in self.stages:
            x = stage(x)
        return self.conv_out(F.silu(self.norm_out(x)))


class Decoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.conv_in = CausalConv(c.latent_channels, c.channels[-1])
        self.stages = nn.ModuleList(DecoderStage(c, i) for i in range(len(c.channels)))
        self.norm_out, self.conv_out = FrameNorm(c.norm_groups, c.channels[0]), CausalConv(c.channels[0], c.in_channels)

    def forward(self, z):
        x = self.conv_in(z)
        for stage in reversed(self.stages):
            x = stage(x, z)
        return self.conv_out(F.silu(self.norm_out(x)))


class Magvit(nn.Module):
    def __init__(self, config=PRESETS["tiny"]):
        super().__init__()
        self.config = c = config
        self.encoder, self.decoder = Encoder(c), Decoder(c)
        with torch.no_grad():
            for name, module in self.named_modules():
                if isinstance(module, CausalConv):
                    nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                    nn.init.zeros_(module.bias)
                    if name.endswith("conv2"):
                        module.weight.mul_(0.1)  # blocks begin close to doing nothing
            head = self.encoder.conv_out
            head.weight[c.latent_channels :] *= 0.1
            head.bias[c.latent_channels :] = -6  # log-variance: little noise at first
            self.decoder.conv_out.weight.mul_(0.1)

    def moments(self, clip):
        mean, logvar = self.encoder(clip).float().chunk(2, 1)
        return mean, logvar.clamp(-30, 20)

    def decode(self, z):
        """Not clamped."""
        return self.decoder(z).float()

    def forward(self, clip, sample=True):
        """Training: (reconstruction, Kullback-Leibler divergence summed over a clip's latent and averaged over clips)."""
        mean, logvar = self.moments(clip)
        z = mean + torch.randn_like(mean) * (0.5 * logvar).exp() if sample else mean
        return self.decode(z), divergence(mean, logvar)


def divergence(mean, logvar):
    return 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum() / mean.shape[0]


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def save(model, folder, mean=None, deviation=None, about=None):
    """model.safetensors in float16 and config.json; `mean` and `deviation` are those of each latent channel."""
    from safetensors.torch import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder.resolve().parent / f"{folder.name}.partial"  # beside, so that the folder never holds two
    save_file({name: p.detach().to("cpu", torch.float16).contiguous() for name, p in model.state_dict().items()}, str(partial))
    partial.chmod(0o644)
    partial.replace(folder / "model.safetensors")
    c = model.config
    config = {
        "_class_name": "CausalMagvitAutoencoder",
        **asdict(c),
        "latents_mean": mean or [0.0] * c.latent_channels,
        "latents_std": deviation or [1.0] * c.latent_channels,
        **(about or {}),
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def load(folder):
    """A saved model, with float32 weights."""
    from safetensors.torch import load_file

    folder = Path(folder)
    about = json.loads((folder / "config.json").read_text())
    config = {k: tuple(about[k]) if isinstance(about[k], list) else about[k] for k in asdict(Config())}
    model = Magvit(Config(**config))
    model.load_state_dict({k: v.float() for k, v in load_file(str(folder / "model.safetensors")).items()})
    return model.eval()


def describe():
    """Parameters and floating point operations of every preset, for 17 frames of 128 x 128."""
    from torch.utils.flop_counter import FlopCounterMode

    for name, c in PRESETS.items():
        with torch.device("meta"):
            model, clip = Magvit(c), torch.zeros(1, 3, 17, 128, 128)
            with FlopCounterMode(display=False) as encoding:
                mean, _ = model.moments(clip)
            with FlopCounterMode(display=False) as decoding:
                model.decode(mean)
        print(f"{name:6} {parameters(model) / 1e6:8.2f} M, encode {encoding.get_total_flops() / 1e9:7.1f} + decode "
              f"{decoding.get_total_flops() / 1e9:7.1f} GFLOP, latent {tuple(mean.shape[1:])}, rate {c.rate(17, 128, 128):.4%}")


if __name__ == "__main__":
    describe()
