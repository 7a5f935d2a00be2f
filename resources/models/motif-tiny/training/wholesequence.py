"""AutoencoderKLWan's encode and decode over a whole clip at once, for training.

diffusers walks through a clip in chunks with a cache per convolution, which is slow to differentiate. Causal
convolutions see the same values without chunks, with three rules:
- downsampling in time: the first frame skips the convolution, which starts with the window of frames 0, 1, 2;
- upsampling in time: the first frame skips the convolution, and the others do not see it (zeros stand in its place);
- the shortcuts pad one frame in front (down) or drop one (up), which the modules themselves do.
`test_wholesequence.py` holds the equality with diffusers' own functions.
"""

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.autoencoder_kl_wan import WanAttentionBlock, WanResample, patchify, unpatchify


def causal(conv, x):
    """WanCausalConv3d over a whole clip: pads only in front in time; space is padded by the convolution itself."""
    _, _, height, _, time, _ = conv._padding
    if time:
        x = F.pad(x, (0, 0, 0, 0, time, 0))
    return F.conv3d(x, conv.weight, conv.bias, conv.stride, (0, height, height))


def activated(x, gamma, frames):
    """SiLU of the channels' RMS norm (WanRMS_norm), with `frames` frames of zeros in front, as a causal convolution wants."""
    wide = x.float()
    inverse = torch.rsqrt(wide.square().mean(dim=1, keepdim=True) + 1e-12)
    return F.pad(F.silu(wide * inverse * gamma).to(x.dtype), (0, 0, 0, 0, frames, 0))


compiled = {"activated": activated}


def compile_activations():
    """Fuses the element-wise part on this processor, which is most of a step's time otherwise. Needs a C++ compiler."""
    torch._dynamo.config.recompile_limit = 64
    compiled["activated"] = torch.compile(activated, dynamic=False)


def activated_convolution(norm, conv, x):
    x = compiled["activated"](x, norm.gamma, conv._padding[4])
    return F.conv3d(x, conv.weight, conv.bias, 1, (0, conv._padding[2], conv._padding[2]))


def residual(block, x):
    h = x if isinstance(block.conv_shortcut, torch.nn.Identity) else causal(block.conv_shortcut, x)
    x = activated_convolution(block.norm1, block.conv1, x)
    return activated_convolution(block.norm2, block.conv2, x) + h


def shortcut_only(block, x):
    """The block without its residual branch, for the linear warm start."""
    return x if isinstance(block.conv_shortcut, torch.nn.Identity) else causal(block.conv_shortcut, x)


def resample(module: WanResample, x):
    """x [b, c, t, h, w] -> halved, or doubled, in space and (for 3d modes) in time: 1 + 2k frames <-> 1 + k."""
    if module.mode == "upsample3d" and x.shape[2] > 1:
        b, c, t, h, w = x.shape
        rest = causal(module.time_conv, x[:, :, 1:])  # [b, 2c, t-1, h, w]
        rest = rest.view(b, 2, c, t - 1, h, w).permute(0, 2, 3, 1, 4, 5).reshape(b, c, 2 * (t - 1), h, w)
        x = torch.cat([x[:, :, :1], rest], 2)
    conv = module.resample[1]
    weight = conv.weight[:, :, None]  # a 3D convolution with one tap in time keeps the channels-last layout
    if module.mode.startswith("upsample"):
        x = F.interpolate(x, scale_factor=(1, 2, 2), mode="nearest-exact")
        return F.conv3d(x, weight, conv.bias, 1, (0, 1, 1))
    x = F.conv3d(F.pad(x, (0, 1, 0, 1)), weight, conv.bias, (1, 2, 2))
    if module.mode == "downsample3d" and x.shape[2] > 1:
        x = torch.cat([x[:, :, :1], F.conv3d(x, module.time_conv.weight, module.time_conv.bias, (2, 1, 1))], 2)
    return x


LINEAR, COARSE, FULL = 0, 1, 2
"""How much of the network takes part: no residual branches; all but those at the finest of the three resolutions, which
are most of the cost; all. Left-out branches are at zero until they take part, so the three agree where they meet."""


def encoder_detail(vae):
    """COARSE while the encoder's finest branches are at zero (they would add nothing), else FULL."""
    return FULL if vae.encoder.down_blocks[0].resnets[0].conv2.weight.count_nonzero() else COARSE


def branch(detail, finest):
    return residual if detail == FULL or (detail == COARSE and not finest) else shortcut_only


def middle(block, x, detail):
    res = branch(detail, False)
    x = res(block.resnets[0], x)
    if detail != LINEAR:
        x = block.attentions[0](x)
    return res(block.resnets[1], x)


def encode(vae, x, detail=FULL):
    """Pixels [b, 3, 1 + 4k, h, w] in -1..1 -> mean and log-variance [b, 16, 1 + k, h / 8, w / 8]."""
    x = patchify(x, vae.config.patch_size).contiguous(memory_format=torch.channels_last_3d)
    encoder = vae.encoder
    x = causal(encoder.conv_in, x)
    for index, block in enumerate(encoder.down_blocks):
        start, res = x, branch(detail, index == 0)
        for resnet in block.resnets:
            x = res(resnet, x)
        if block.downsampler is not None:
            x = resample(block.downsampler, x)
        x = x + block.avg_shortcut(start)
    x = middle(encoder.mid_block, x, detail)
    x = activated_convolution(encoder.norm_out, encoder.conv_out, x)
    return causal(vae.quant_conv, x).float().chunk(2, 1)


def decode(vae, z, detail=FULL):
    """Latents [b, 16, 1 + k, h, w] -> pixels [b, 3, 1 + 4k, 8h, 8w], not clamped."""
    decoder = vae.decoder
    x = causal(decoder.conv_in, causal(vae.post_quant_conv, z.contiguous(memory_format=torch.channels_last_3d)))
    x = middle(decoder.mid_block, x, detail)
    for index, block in enumerate(decoder.up_blocks):
        start, res = x, branch(detail, index == len(decoder.up_blocks) - 1)
        for resnet in block.resnets:
            x = res(resnet, x)
        if block.upsampler is not None:
            x = resample(block.upsampler, x)
        if block.avg_shortcut is not None:
            x = x + block.avg_shortcut(start, first_chunk=True)
    x = activated_convolution(decoder.norm_out, decoder.conv_out, x)
    return unpatchify(x.float(), vae.config.patch_size)
