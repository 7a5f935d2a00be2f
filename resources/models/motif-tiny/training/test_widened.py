"""`python test_widened.py`: an autoencoder and a transformer that are widened to more latent channels do what they did before."""

import torch

import align
import autoencoder
import networks
import wholesequence


@torch.no_grad()
def test_autoencoder(channels):
    old, new = autoencoder.build(), autoencoder.build(channels=channels)
    for module in (*old.modules(),):  # a trained one's residual branches are not at zero
        for parameter in module.parameters(recurse=False):
            parameter.add_(0.02 * torch.randn_like(parameter))
    new.load_state_dict(autoencoder.widened(old.state_dict(), new.state_dict(), channels))
    x = torch.rand(1, 3, 9, 32, 32) * 2 - 1
    (mean, log_variance), (wide, wide_log_variance) = wholesequence.encode(old, x), wholesequence.encode(new, x)
    torch.testing.assert_close(wide[:, :16], mean)
    torch.testing.assert_close(wide_log_variance[:, :16], log_variance)
    assert wide[:, 16:].std() > 0.01, "the new channels must have something to begin with"
    torch.testing.assert_close(wholesequence.decode(new, wide), wholesequence.decode(old, mean), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_transformer(channels):
    old, new = networks.build_transformer(), networks.build_transformer(channels)
    new.load_state_dict(networks.widened(old.state_dict(), channels))
    x, previous = torch.randn(2, 2, channels, 3, 16, 16).unbind(0)
    sigma, states = torch.tensor([300.0, 700.0]), torch.randn(2, 80, 256)
    velocity = lambda model, n: model(torch.cat([x[:, :n], previous[:, :n]], 1), sigma, states, return_dict=False)[0]
    wide = velocity(new, channels)
    torch.testing.assert_close(wide[:, :16], velocity(old, 16), rtol=1e-4, atol=1e-5)
    assert not wide[:, 16:].any()


@torch.no_grad()
def test_turned(kept):
    vae = autoencoder.build(channels=20)
    for module in (*vae.modules(),):
        for parameter in module.parameters(recurse=False):
            parameter.add_(0.02 * torch.randn_like(parameter))
    vae.post_quant_conv.bias.zero_()  # a constant beside the kept channels would be missed at the picture's edges
    x = torch.rand(1, 3, 9, 64, 64) * 2 - 1
    mean, _ = wholesequence.encode(vae, x)
    before = wholesequence.decode(vae, mean)
    matrix, offset = torch.linalg.qr(torch.randn(20, 20, dtype=torch.float64))[0], torch.zeros(20, dtype=torch.float64)
    offset[:kept] = torch.randn(kept)
    align.turn(vae, matrix, offset)
    turned, _ = wholesequence.encode(vae, x)
    expected = mean.movedim(1, -1).double() @ matrix + offset
    torch.testing.assert_close(turned.movedim(1, -1).double(), expected, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(wholesequence.decode(vae, turned), before, rtol=1e-3, atol=1e-3)
    narrow = align.narrowed(vae, kept)
    means, _ = wholesequence.encode(narrow, x)
    torch.testing.assert_close(means, turned[:, :kept], rtol=1e-3, atol=1e-4)
    without = turned.clone()
    without[:, kept:] = 0
    torch.testing.assert_close(wholesequence.decode(narrow, means), wholesequence.decode(vae, without), rtol=1e-3, atol=2e-3)


if __name__ == "__main__":
    torch.manual_seed(0)
    for channels in (16, 24, 32):
        if channels > 16:
            test_autoencoder(channels)
        test_transformer(channels)
    for kept in (20, 16):
        test_turned(kept)
    print("ok")
