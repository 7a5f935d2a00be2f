"""What a reconstruction is judged by: the perceptual distance and the patch discriminator of training, PSNR and SSIM."""

import torch
import torch.nn as nn
import torch.nn.functional as F


class Perceptual(nn.Module):
    """Distance of features, as LPIPS measures it but with a network of our own: the four convolution stages of motif-judge, frozen.
    Features are divided by their length over the channels; squared differences are summed over channels, averaged over places and stages."""

    def __init__(self, path):
        super().__init__()
        from safetensors.torch import load_file

        weights = {k: v.float() for k, v in load_file(str(path)).items() if k.startswith("stages.")}
        self.plan = [(1, 0), (2, 2), (2, 2), (2, 1)]  # stride, residual convolutions
        for name, value in weights.items():
            self.register_buffer(name.replace(".", "_"), value)

    def convolution(self, x, name, stride):
        get = lambda part: getattr(self, f"{name}_{part}".replace(".", "_"))
        x = F.conv2d(x, get("conv_weight"), get("conv_bias"), stride=stride, padding=1)
        x = F.layer_norm(x.permute(0, 2, 3, 1), (x.shape[1],), get("norm_weight"), get("norm_bias"))
        return F.gelu(x).permute(0, 3, 1, 2)

    def features(self, frames):
        """[n, 3, h, w] in -1..1 -> features of four stages. A frame by itself: the change since the frame before is zero."""
        n, _, h, w = frames.shape
        h, w = h // 2, w // 2
        ys = ((torch.arange(h, device=frames.device) * 2 + 1) / h - 1)[:, None].expand(h, w)
        xs = ((torch.arange(w, device=frames.device) * 2 + 1) / w - 1).expand(h, w)
        place = torch.stack([xs, ys]).to(frames.dtype).expand(n, 2, h, w)
        x = torch.cat([F.pixel_unshuffle(frames, 2), frames.new_zeros(n, 3, h, w), place], 1)
        x = x.contiguous(memory_format=torch.channels_last)
        found = []
        for i, (stride, residuals) in enumerate(self.plan):
            x = self.convolution(x, f"stages.{i}.into", stride)
            for j in range(residuals):
                x = x + self.convolution(x, f"stages.{i}.residuals.{j}", 1)
            found.append(x)
        return found

    def forward(self, made, real):
        with torch.no_grad():
            wanted = self.features(real)
        unit = lambda x: x.float() / (x.float().square().sum(1, keepdim=True) + 1e-6).sqrt()
        return sum((unit(a) - unit(b)).square().sum(1).mean() for a, b in zip(self.features(made), wanted)) / len(wanted)


class Discriminator(nn.Module):
    """Patch discriminator of single frames: 4 x 4 convolutions, layer norm over the channels, leaky ReLU."""

    def __init__(self, channels=32):
        super().__init__()
        c = channels
        self.first = nn.Conv2d(3, c, 4, stride=2, padding=1)
        plan = [(c, 2 * c, 2), (2 * c, 4 * c, 2), (4 * c, 8 * c, 1)]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 4, stride=s, padding=1) for a, b, s in plan)
        self.norms = nn.ModuleList(nn.LayerNorm(b) for _, b, _ in plan)
        self.last = nn.Conv2d(8 * c, 1, 4, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, frames):
        x = F.leaky_relu(self.first(frames.contiguous(memory_format=torch.channels_last)), 0.2)
        for conv, norm in zip(self.convs, self.norms):
            x = F.leaky_relu(norm(conv(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2), 0.2)
        return self.last(x).float()


def psnr(a, b):
    """Of clips [n, 3, t, h, w] in -1..1, per clip."""
    return -10 * (((a.clamp(-1, 1) - b) / 2).square().mean((1, 2, 3, 4)) + 1e-10).log10()


def ssim(a, b):
    """Mean SSIM per clip: 11 x 11 Gaussian window of deviation 1.5 without padding, on 0..1, per frame and channel."""
    n = a.shape[0]
    a, b = (((x.clamp(-1, 1) + 1) / 2).transpose(1, 2).flatten(0, 2)[:, None] for x in (a, b))
    g = torch.exp(-((torch.arange(11, device=a.device) - 5.0) ** 2) / (2 * 1.5**2))
    g = (g / g.sum())[None, None]
    blur = lambda x: F.conv2d(F.conv2d(x, g[..., None]), g[:, :, None])
    ma, mb = blur(a), blur(b)
    va, vb, cov = blur(a * a) - ma * ma, blur(b * b) - mb * mb, blur(a * b) - ma * mb
    s = ((2 * ma * mb + 0.01**2) * (2 * cov + 0.03**2)) / ((ma**2 + mb**2 + 0.01**2) * (va + vb + 0.03**2))
    return s.view(n, -1).mean(1)
