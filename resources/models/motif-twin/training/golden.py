"""Every stage of a network on its way from a clip to pictures, for a second implementation (test/golden/make_vidtwin_golden.py)."""

import numpy as np
import torch

from losses import psnr, ssim

CPU = torch.device("cpu")


def to_clip(frames, device):
    """uint8 [n, t, h, w, 3] -> [n, 3, t, h, w] in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(frames)).to(device).permute(0, 4, 1, 2, 3).float() / 127.5 - 1


@torch.no_grad()
def stages(model, a, b):
    """Everything on the way of clip a; clip b for the cross-reenactment. Token tensors of the first frame alone."""
    size, c = tuple(a.shape[-2:]), model.config
    rows, columns = model.grid(*size)
    x = model.patches(a)
    found = {"patches": x[0, 0], "positions": model.positions(rows, columns, CPU)[[0, 1, -1]]}
    x = model.patch_in(x) + model.positions(rows, columns, CPU)
    found["embedded"] = x[0, 0]
    x = model.encoder[0](x)
    found["encoder.0"] = x[0, 0]
    for layer in list(model.encoder)[1:]:
        x = layer(x)
    x = model.encoder_norm(x)
    found["encoded"] = x[0, [0, -1]]
    if c.disentangle and c.q_former and c.move_space:
        found["q_former of place 0"] = model.structure.q_former(x[:, :, 0])[0]
    moments = model.moments(a)
    names = ["z_s", "z_d"][: len(moments)]
    for name, (mean, logvar) in zip(names, moments):
        found[name], found[name + " logvar"] = mean[0], logvar[0]
    z = [mean for mean, _ in moments] + [None] * (2 - len(moments))
    if c.disentangle:
        found["u_s"] = model.structure.decode(z[0], rows, columns)[0, [0, -1]]
        found["u_d"] = model.dynamics.decode(z[1], rows, columns)[0, [0, -1]]
        found["structure only"] = model.decode_structure(z[0], size)[0, :, [0, -1]]
        found["dynamics only"] = model.decode_dynamics(z[1], size)[0, :, [0, -1]]
        found["cross"] = model.cross(a, b)[0, :, [0, -1]]
    made = model.decode(*z, size)
    found["reconstruction"] = made[0, :, [0, -1]]
    found["psnr, ssim"] = torch.stack([psnr(made, a)[0], ssim(made, a)[0]])
    return found
