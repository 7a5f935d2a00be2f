"""`python test_widened.py`: an autoencoder and a transformer that are widened to more latent channels do what they did before."""

import torch

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


if __name__ == "__main__":
    torch.manual_seed(0)
    for channels in (16, 24, 32):
        if channels > 16:
            test_autoencoder(channels)
        test_transformer(channels)
    print("ok")
