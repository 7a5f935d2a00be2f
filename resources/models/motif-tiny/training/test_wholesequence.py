"""The whole-sequence forward equals diffusers' chunked encode and decode: `python test_wholesequence.py`."""

import torch

import wholesequence
from autoencoder import build


def relative(a, b):
    return ((a - b).norm() / b.norm()).item()


@torch.no_grad()
def main():
    torch.manual_seed(0)
    vae = build()
    for parameter in vae.parameters():  # zero-initialised parts would hide differences
        parameter.add_(torch.randn_like(parameter) * 0.03)
    for frames, height, width in [(17, 32, 48), (9, 48, 32), (1, 32, 32)]:
        x = torch.rand(2, 3, frames, height, width) * 2 - 1
        posterior = vae.encode(x).latent_dist
        mean, log_variance = wholesequence.encode(vae, x)
        assert relative(mean, posterior.mean) < 1e-4 and relative(log_variance.clamp(-30, 20), posterior.logvar) < 1e-4
        expected = vae.decode(mean).sample
        assert relative(wholesequence.decode(vae, mean).clamp(-1, 1), expected) < 1e-4
        print(f"{frames} frames of {width} x {height}: equal")


if __name__ == "__main__":
    main()
