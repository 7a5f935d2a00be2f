"""What a reconstruction is judged by: the perceptual distance and the patch discriminator of training, PSNR and SSIM."""

from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

from precision import autocast

JUDGE = Path(__file__).resolve().parents[2] / "motif-judge" / "model.safetensors"


class Perceptual(nn.Module):
    """Distance of features, as LPIPS measures it but with a network of our own: the four convolution stages of motif-judge, frozen.
    Features are divided by their length over the channels; squared differences are summed over channels, averaged over places and stages."""

    def __init__(self, path=JUDGE):
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


class Critic:
    """The discriminator beside a training: learns to tell, by the hinge loss, and says how to be less told."""

    def __init__(self, weight):
        self.weight, self.network = weight, Discriminator()
        self.optimiser = torch.optim.AdamW(self.network.parameters(), lr=1e-4, betas=(0.9, 0.99))

    def learn(self, made, real):
        """One step on frames [n, 3, h, w] -> its loss."""
        with autocast():
            fake, true = self.network(made.detach()), self.network(real)
        loss = 0.5 * (torch.relu(1 - true).mean() + torch.relu(1 + fake).mean())
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def loss(self, made, other, last):
        """What to add to the `other` loss: weighted so that at the weights `last` its gradient is `weight` times as long (VQGAN, arXiv 2012.09841, equation 7)."""
        self.network.requires_grad_(False)
        with autocast():
            told = -self.network(made).mean()
        self.network.requires_grad_(True)
        base, own = (torch.autograd.grad(v, last, retain_graph=True)[0].norm() for v in (other, told))
        return (base / (own + 1e-4)).clamp(0, 1e4).detach() * self.weight * told

    def state_dict(self):
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state):
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])


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
