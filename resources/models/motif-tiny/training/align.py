"""Turns an autoencoder's latents towards those of another with fewer channels, so that a transformer that knows the other's need not begin again.

    python align.py --autoencoder n32 --to exported --out n32-aligned

The convolutions before and behind the latents have one tap each: any invertible matrix between the channels, and its inverse, can be folded into them, and
the autoencoder does what it did. Here the first channels become the best linear guess of the other's channels, the rest what that guess leaves, as principal
components of unit variance, the largest first. Prints how much of each of the other's channels is guessed (R squared) and how much the rest holds.
`--channels` leaves the last ones out: those that training never came to use.
"""

import argparse

import numpy as np
import torch

import data
import wholesequence
from autoencoder import build, load, measure
from precision import autocast


@torch.no_grad()
def means(vae, clips):
    """Latents of uint8 clips as rows [n, channels], float64."""
    rows = []
    for clip in clips:
        with autocast():
            mean, _ = wholesequence.encode(vae, data.to_batch([clip]))
        rows.append(mean[0].flatten(1).T.double())
    return torch.cat(rows)


def turning(new, old):
    """Rows of latents [n, c] and [n, k], k < c -> (matrix [c, c], offset [c], R squared [k], deviations of the rest [c - k]): turned = new @ matrix + offset."""
    centred, wanted = new - new.mean(0), old - old.mean(0)
    covariance = centred.T @ centred / len(new)
    guess = torch.linalg.solve(covariance, centred.T @ wanted / len(new))  # [c, k]
    guessed = centred @ guess
    explained = 1 - (wanted - guessed).square().mean(0) / wanted.square().mean(0)
    # What is uncorrelated with the guess: the null space of guess' covariance, in which the largest variances come first.
    _, _, basis = torch.linalg.svd((covariance @ guess).T)
    rest = basis[guess.shape[1] :].T  # [c, c - k]
    values, vectors = torch.linalg.eigh(rest.T @ covariance @ rest)
    order = values.argsort(descending=True)
    rest = rest @ vectors[:, order]
    deviations = values[order].sqrt()
    matrix = torch.cat([guess, rest / deviations], 1)
    offset = torch.cat([old.mean(0), torch.zeros(rest.shape[1])]) - new.mean(0) @ matrix
    return matrix, offset, explained, deviations


@torch.no_grad()
def turn(vae, matrix, offset):
    """Folds the matrix into the autoencoder. The posterior's variances, which only training draws from, become those of its mean over the channels."""
    channels = len(offset)
    quant, post = vae.quant_conv, vae.post_quant_conv
    weight, bias = quant.weight[:, :, 0, 0, 0].double(), quant.bias.double()
    quant.weight[:channels, :, 0, 0, 0] = (matrix.T @ weight[:channels]).float()
    quant.bias[:channels] = (matrix.T @ bias[:channels] + offset).float()
    quant.weight[channels:] = 0
    quant.bias[channels:] = (matrix.square().T @ bias[channels:].exp()).log().float()
    inverse = torch.linalg.inv(matrix)
    weight, bias = post.weight[:, :, 0, 0, 0].double(), post.bias.double()
    post.weight[:, :, 0, 0, 0] = (weight @ inverse.T).float()
    post.bias.copy_((bias - weight @ inverse.T @ offset).float())


@torch.no_grad()
def narrowed(vae, channels):
    """An autoencoder with the first latent channels alone; the others are taken for zero, their mean. What the convolutions of one tap do is folded into their
    neighbours, which is exact but for a constant at the picture's edges."""
    before = vae.config.z_dim
    new = build(vae.config.decoder_base_dim, vae.config.dim_mult, channels)
    kept = torch.cat([torch.arange(channels), before + torch.arange(channels)])
    state = {**vae.state_dict()}
    quant = state["quant_conv.weight"][kept, :, 0, 0, 0]
    state["encoder.conv_out.weight"] = torch.einsum("oi,i...->o...", quant, state["encoder.conv_out.weight"])
    state["encoder.conv_out.bias"] = quant @ state["encoder.conv_out.bias"] + state["quant_conv.bias"][kept]
    post, bias = state["post_quant_conv.weight"][:, :channels, 0, 0, 0], state["post_quant_conv.bias"]
    inside = torch.linalg.lstsq(post, bias[:, None]).solution[:, 0]
    rest = bias - post @ inside
    into = state["decoder.conv_in.weight"]
    state["decoder.conv_in.bias"] = state["decoder.conv_in.bias"] + into.sum((2, 3, 4)) @ rest
    state["decoder.conv_in.weight"] = torch.einsum("oithw,ij->ojthw", into, post)
    for part, size, offset in (("quant_conv", 2 * channels, torch.zeros(2 * channels)), ("post_quant_conv", channels, inside)):
        state[f"{part}.weight"], state[f"{part}.bias"] = torch.eye(size)[:, :, None, None, None], offset
    new.load_state_dict(state)
    return new.eval().requires_grad_(False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--autoencoder", required=True)
    parser.add_argument("--to", default="exported")
    parser.add_argument("--out", required=True)
    parser.add_argument("--world", nargs="*", default=["v2"])
    parser.add_argument("--clips", type=int, default=120, help="rendered ones; and as many real ones")
    parser.add_argument("--channels", type=int, help="how many are kept (default: all)")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    random = np.random.default_rng(0)
    real, world = data.RealMaterial(), data.WorldShards(*options.world)
    clips = [source.crop(random, 17, 128, 128) for source in (world, real) for _ in range(options.clips)]
    new, old = load(options.autoencoder), load(options.to)
    matrix, offset, explained, deviations = turning(means(new, clips), means(old, clips))
    checked = {"clips": clips[:: max(1, len(clips) // 12)]}
    before = measure(new, checked)
    turn(new, matrix, offset)
    turned = measure(new, checked)
    if options.channels:
        new = narrowed(new, options.channels)
    print(f"PSNR of {len(checked['clips'])} clips: {before['clips']} before, {turned['clips']} turned, {measure(new, checked)['clips']} with {new.config.z_dim} channels")
    saved = torch.load(data.CACHE / f"autoencoder-{options.autoencoder}" / "state.pt", weights_only=False)
    folder = data.CACHE / f"autoencoder-{options.out}"
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"mean": new.state_dict(), "options": {**saved["options"], "channels": new.config.z_dim}}, folder / "state.pt")
    print("R squared of the other's channels:", *[f"{v:.3f}" for v in explained.tolist()], f"mean {explained.mean():.3f}")
    print("deviations of what is left, before they were made one:", *[f"{v:.2f}" for v in deviations.tolist()])


if __name__ == "__main__":
    main()
