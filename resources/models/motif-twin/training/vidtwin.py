"""A small VidTwin (arXiv 2412.17726): a video autoencoder with two latents, structure and dynamics.

    encode(clip) -> (z_s, z_d)      decode(z_s, z_d)      decode_structure(z_s)      decode_dynamics(z_d)
    cross(clip_a, clip_b) = D(u_S of A + u_D of B)

Clips are [b, 3, t, h, w] in -1..1. Inside, tokens are [b, t, s, c] with s = rows x columns, row by row. SPEC.md says the same in tables.
"""

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass(frozen=True)
class Config:
    name: str = "tiny"
    frames: int = 16
    frame_rate: float = 8
    height: int = 128
    width: int = 128
    patch: int = 8
    patch_frames: int = 1  # frames of a patch, which is one token; the paper's has one
    hidden: int = 192
    depth: int = 5  # blocks of the encoder, and as many of the decoder
    heads: int = 3
    causal: bool = True  # attention over time looks at earlier frames only
    # structure: n_q x d_S x h_S x w_S
    queries: int = 8
    query_width: int = 64
    query_layers: int = 6
    query_heads: int = 8
    query_feed_forward: int = 256
    structure_channels: int = 64
    structure_halvings: int = 1
    structure_dim: int = 4
    # dynamics: frames x d_D x (h_D + w_D)
    dynamics_halvings: int = 1
    dynamics_dim: int = 8
    # the four ablations of the paper's table 3
    disentangle: bool = True
    average_dynamics: bool = True
    q_former: bool = True
    move_space: bool = True
    # numbers of each patch that the network reads and writes, and that a linear code beside it carries into structure and back; 0: pixels, and no such code
    direct: int = 0
    steadied: bool = False  # clips are steadied before (steady.py), and the camera's path lies behind the columns of z_d
    kinds: int = 1  # of cells, each with a linear code of its own: a square number, of which structure's first two numbers tell the row and the column

    @property
    def has_direct(self):
        return self.direct > 0 and self.disentangle and (self.move_space or not self.q_former)

    @property
    def side(self):
        """Kinds in a row, and in a column."""
        return math.isqrt(self.kinds)

    @property
    def coordinates(self):
        """Numbers of a cell that name its kind."""
        return 2 if self.kinds > 1 else 0

    @property
    def path_lines(self):
        """Lines of z_d that hold six numbers of each frame."""
        return -(-6 // self.dynamics_dim) if self.steadied and self.disentangle and self.average_dynamics else 0

    @property
    def times(self):
        """Tokens of a place."""
        return self.frames // self.patch_frames

    def grid(self, height=None, width=None):
        return (height or self.height) // self.patch, (width or self.width) // self.patch

    def latent_shapes(self, height=None, width=None):
        """Shapes of z_s and z_d, without the batch."""
        s = [halve(n, self.structure_halvings) for n in self.grid(height, width)]
        d = [halve(n, self.dynamics_halvings) for n in self.grid(height, width)]
        if not self.disentangle:
            return (self.frames, self.single_dim, *s), None
        structure = (self.queries, self.structure_dim, *s)
        if not self.move_space and self.q_former:
            structure = (self.queries * s[0] * s[1], self.structure_dim)
        dynamics = (self.frames, self.dynamics_dim, d[0] + d[1] + self.path_lines) if self.average_dynamics else (self.frames, self.plane_dim, *d)
        return structure, dynamics

    @property
    def plane_dim(self):
        """Channels of dynamics that aren't averaged, so that there are about as many numbers."""
        h, w = (halve(n, self.dynamics_halvings) for n in self.grid())
        return max(1, round(self.dynamics_dim * (h + w) / (h * w)))

    @property
    def single_dim(self):
        """Channels of the one latent without disentanglement, so that there are about as many numbers."""
        h, w = (halve(n, self.structure_halvings) for n in self.grid())
        d = sum(halve(n, self.dynamics_halvings) for n in self.grid())
        return max(1, round((self.queries * self.structure_dim * h * w / self.frames + self.dynamics_dim * d) / (h * w)))

    def numbers(self, height=None, width=None):
        return sum(math.prod(shape) for shape in self.latent_shapes(height, width) if shape)

    def rate(self, height=None, width=None):
        """Numbers in the latents per number in the pixels."""
        return self.numbers(height, width) / (3 * self.frames * (height or self.height) * (width or self.width))


PAPER = dict(height=224, width=224, patch=16, queries=16, query_feed_forward=768, structure_channels=128)
# what is compared at equal time of training: the paper's method alone, of few tokens
TRIAL = Config("trial", patch=16, patch_frames=4, hidden=128, depth=3, heads=4, queries=4, structure_halvings=0, structure_dim=8, dynamics_halvings=0, dynamics_dim=4)
PRESETS = {
    "tiny": Config(),
    "trial": TRIAL,
    "trial-large": replace(TRIAL, name="trial-large", hidden=256, depth=4, heads=8),
    "motif-twin": Config(
        "motif-twin", patch=16, patch_frames=8, hidden=176, depth=3, heads=4, queries=4, structure_halvings=0, structure_dim=10, dynamics_halvings=0,
        dynamics_dim=1, direct=192, kinds=64, steadied=True,
    ),
    "paper-small": Config("paper-small", **PAPER, hidden=512, depth=12, heads=8),
    "paper-base": Config("paper-base", **PAPER, hidden=768, depth=16, heads=12),
    "paper-large": Config("paper-large", **PAPER, hidden=1536, depth=16, heads=12),
}
ABLATIONS = {
    "full": {},
    "no-disentanglement": {"disentangle": False},
    "no-averaging": {"average_dynamics": False},
    "no-q-former": {"q_former": False},
    "no-move": {"move_space": False},
}


def halve(n, times):
    for _ in range(times):
        n = (n + 1) // 2
    return n


def sinusoids(positions, dim):
    """[n] -> [n, dim]: the sines of position / 10000^(i / (dim / 2)), i = 0 .. dim / 2 - 1, then the cosines."""
    rates = 10000.0 ** (-torch.arange(dim // 2, dtype=torch.float64) / (dim / 2))
    angles = positions.to(torch.float64)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1).float()


def positions(frames, rows, columns, dim):
    """[frames, rows * columns, dim]: the column in the first half of the channels, the row in the second, plus the frame in all."""
    row, column = sinusoids(torch.arange(rows), dim // 2), sinusoids(torch.arange(columns), dim // 2)
    space = torch.cat([column[None].expand(rows, -1, -1), row[:, None].expand(-1, columns, -1)], -1).reshape(1, rows * columns, dim)
    return space + sinusoids(torch.arange(frames), dim)[:, None]


def attend(q, k, v, heads, causal=False):
    """Multi-head attention of [n, length, c] tensors, softmax(q k^T / sqrt(c / heads)) v, heads joined in order."""
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    if q.is_cuda:
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).flatten(2)
    # on a processor plain products train up to five times as fast at these lengths
    weights = q * q.shape[-1] ** -0.5 @ k.transpose(-1, -2)
    if causal:
        weights = weights + torch.full(weights.shape[-2:], -torch.inf, dtype=weights.dtype).triu(1)
    return (weights.softmax(-1).to(v.dtype) @ v).transpose(1, 2).flatten(2)


class Block(nn.Module):
    """Attention over a frame's places, attention over a place's frames, and a feed-forward, with a learned scale, shift and gate."""

    def __init__(self, dim, heads, causal):
        super().__init__()
        self.dim, self.heads, self.causal = dim, heads, causal
        self.modulation = nn.Parameter(torch.zeros(6, dim))  # shift, scale, gate of attention; shift, scale, gate of the feed-forward
        self.space_qkv, self.space_out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.time_qkv, self.time_out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.up, self.down = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        nn.init.zeros_(self.time_out.weight)
        with torch.no_grad():
            self.modulation[2] = self.modulation[5] = 1

    def tensors(self):
        linears = self.space_qkv, self.space_out, self.time_qkv, self.time_out, self.up, self.down
        return self.modulation, *(p for linear in linears for p in (linear.weight, linear.bias))

    def forward(self, x):
        return block(x, self.heads, self.causal, *self.tensors())


def block(x, heads, causal, modulation, qkv_w, qkv_b, out_w, out_b, time_qkv_w, time_qkv_b, time_out_w, time_out_b, up_w, up_b, down_w, down_b):
    """The forward of a block as a function of tensors alone, so that one compilation serves all blocks. x [b, t, s, c]."""
    b, t, s, c = x.shape
    shift, scale, gate, shift_f, scale_f, gate_f = modulation.unbind(0)
    y = F.layer_norm(x, (c,), eps=1e-6) * (1 + scale) + shift
    y = attend(*F.linear(y, qkv_w, qkv_b).reshape(b * t, s, 3 * c).chunk(3, -1), heads)
    x = x + gate * F.linear(y, out_w, out_b).reshape(b, t, s, c)
    y = F.layer_norm(x, (c,), eps=1e-6).transpose(1, 2)
    y = attend(*F.linear(y, time_qkv_w, time_qkv_b).reshape(b * s, t, 3 * c).chunk(3, -1), heads, causal)
    x = x + gate * F.linear(y, time_out_w, time_out_b).reshape(b, s, t, c).transpose(1, 2)
    y = F.layer_norm(x, (c,), eps=1e-6) * (1 + scale_f) + shift_f
    return x + gate_f * F.linear(F.gelu(F.linear(y, up_w, up_b), approximate="tanh"), down_w, down_b)


class QLayer(nn.Module):
    """A layer of the Q-Former: self-attention, cross-attention in every other layer, feed-forward; each with a norm behind its sum."""

    def __init__(self, width, heads, feed_forward, source):
        super().__init__()
        self.heads = heads
        self.qkv, self.out, self.norm1 = nn.Linear(width, 3 * width), nn.Linear(width, width), nn.LayerNorm(width)
        if source:
            self.cross_q, self.cross_kv = nn.Linear(width, width), nn.Linear(source, 2 * width)
            self.cross_out, self.norm2 = nn.Linear(width, width), nn.LayerNorm(width)
        self.source = source
        self.up, self.down, self.norm3 = nn.Linear(width, feed_forward), nn.Linear(feed_forward, width), nn.LayerNorm(width)

    def forward(self, x, tokens):
        x = self.norm1(x + self.out(attend(*self.qkv(x).chunk(3, -1), self.heads)))
        if self.source:
            x = self.norm2(x + self.cross_out(attend(self.cross_q(x), *self.cross_kv(tokens).chunk(2, -1), self.heads)))
        return self.norm3(x + self.down(F.gelu(self.up(x))))


class QFormer(nn.Module):
    """Learned queries that read a sequence [n, length, source] into [n, queries, width]."""

    def __init__(self, queries, width, layers, heads, feed_forward, source):
        super().__init__()
        self.queries = nn.Parameter(torch.randn(queries, width))
        self.norm = nn.LayerNorm(width)
        self.layers = nn.ModuleList(QLayer(width, heads, feed_forward, 0 if i % 2 else source) for i in range(layers))

    def forward(self, tokens):
        x = self.norm(self.queries).expand(tokens.shape[0], -1, -1)
        for layer in self.layers:
            x = layer(x, tokens)
        return x


def double(x, axes):
    """Nearest-neighbour doubling along the axes."""
    for axis in axes:
        x = x.repeat_interleave(2, axis)
    return x


def centre(x, rows, columns):
    """The middle of [..., height, width]."""
    top, left = (x.shape[-2] - rows) // 2, (x.shape[-1] - columns) // 2
    return x[..., top : top + rows, left : left + columns]


def frames_apart(x, c):
    """[b, times, patch_frames * n, ...] -> [b, frames, n, ...]: what a token gives for each of its frames."""
    return x.unflatten(2, (c.patch_frames, -1)).flatten(1, 2)


def frames_joined(z, c):
    """[b, frames, n, ...] -> [b, times, patch_frames * n, ...]"""
    return z.unflatten(1, (-1, c.patch_frames)).flatten(2, 3)


class Direct(nn.Module):
    """A linear code beside the network that suits what it codes: `direct` numbers of every patch, gathered by the cells of structure, as principal components
    of that kind of cells which leaves the least error. Kinds lie on a square sheet, neighbours alike; where a kind lies there goes into z_s with the components.
    The network reads and writes the numbers of patches, and has only to better what such a code gives."""

    def __init__(self, c):
        super().__init__()
        self.config, self.cell_side = c, 2**c.structure_halvings
        pixels, gathered = 3 * c.patch_frames * c.patch**2, c.times * self.cell_side**2 * c.direct
        components = c.queries * c.structure_dim - c.coordinates
        self.narrow = nn.Linear(pixels, c.direct)
        self.mean = nn.Parameter(torch.zeros(c.kinds, gathered))
        self.components = nn.Parameter(gathered**-0.5 * torch.randn(c.kinds, components, gathered))  # rows at right angles, of length one
        self.scale = nn.Parameter(torch.ones(components))
        self.read = nn.Linear(c.direct, c.hidden)
        self.widen = nn.Linear(c.direct, pixels)
        sheet = torch.arange(c.kinds).float()
        places = torch.stack([2 * (sheet // c.side) - (c.side - 1), 2 * (sheet % c.side) - (c.side - 1)], 1)[:, : c.coordinates]
        self.register_buffer("places", places, persistent=False)  # [kinds, coordinates], two apart
        own = torch.ones(c.queries * c.structure_dim)
        own[: c.coordinates] = 0
        self.register_buffer("open", own.view(c.queries, c.structure_dim, 1, 1), persistent=False)  # what of z_s the network may add to

    def gather(self, x, rows, columns):
        """Numbers of patches [b, times, s, direct] -> cells [b, h_S, w_S, times * side * side * direct]; zeros where the last cell is larger than the picture."""
        side = self.cell_side
        x = F.pad(x.unflatten(2, (rows, columns)), (0, 0, 0, -columns % side, 0, -rows % side))
        x = x.unflatten(3, (-1, side)).unflatten(2, (-1, side))  # [b, times, h, side, w, side, direct]
        return x.permute(0, 2, 4, 1, 3, 5, 6).flatten(3)

    def encode(self, numbers, rows, columns):
        """Numbers of patches [b, times, s, direct] -> what is added to the mean of z_s [b, n_q, d_S, h_S, w_S]"""
        with torch.autocast("cpu", enabled=False):  # errors are small differences
            mean, components = self.mean.float(), self.components.float()
            x = self.gather(numbers.float(), rows, columns)
            found = torch.einsum("...i,kni->...kn", x, components) - (mean[:, None] * components).sum(2)
            error = mean.square().sum(1) - 2 * x @ mean.T - found.square().sum(-1)  # but for the energy of x
            kind = error.argmin(-1)
            chosen = found.take_along_dim(kind[..., None, None], -2).squeeze(-2) * self.scale.float()
            z = torch.cat([self.places[kind].float(), chosen], -1)
        return z.permute(0, 3, 1, 2).unflatten(1, (self.config.queries, -1))

    def decode(self, z, rows, columns):
        """z_s -> numbers of patches [b, times, s, direct]"""
        c, side = self.config, self.cell_side
        with torch.autocast("cpu", enabled=False):
            x = z.float().flatten(1, 2).permute(0, 2, 3, 1)
            if c.coordinates:
                on_sheet = ((x[..., :2] + (c.side - 1)) / 2).round().clamp(0, c.side - 1).long()
                kind = on_sheet[..., 0] * c.side + on_sheet[..., 1]
            else:
                kind = torch.zeros(x.shape[:-1], dtype=torch.long)
            found = (x[..., None, c.coordinates :] / self.scale.float()) @ self.components[kind].float()
            x = (found.squeeze(-2) + self.mean[kind].float()).to(self.mean.dtype)
        x = x.unflatten(3, (c.times, side, side, -1)).permute(0, 3, 1, 4, 2, 5, 6)
        return x.flatten(4, 5).flatten(2, 3)[:, :, :rows, :columns].flatten(2, 3)


class Structure(nn.Module):
    """F_S and its way back: Q-Former over time at every place, then convolutions."""

    def __init__(self, c):
        super().__init__()
        self.config, width, channels = c, c.query_width, c.structure_channels
        self.whole = c.q_former and not c.move_space  # ablation: one Q-Former over all places and frames
        rows, columns = c.grid()
        queries = c.queries * halve(rows, c.structure_halvings) * halve(columns, c.structure_halvings) if self.whole else c.queries
        if c.q_former:
            self.q_former = QFormer(queries, width, c.query_layers, c.query_heads, c.query_feed_forward, c.hidden)
        else:  # ablation: a linear layer, and another over time
            self.narrow, self.frames_to_queries = nn.Linear(c.hidden, width), nn.Linear(c.times, c.queries)
        if self.whole:
            self.bottle_down, self.bottle_up = nn.Linear(width, 2 * c.structure_dim), nn.Linear(c.structure_dim, width)
        else:
            sizes = [channels * 2**i for i in range(c.structure_halvings + 1)]
            self.conv_in = nn.Conv2d(width, channels, 3, padding=1)
            self.halvings = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in zip(sizes, sizes[1:]))
            self.bottle_down = nn.Conv2d(sizes[-1], 2 * c.structure_dim, 3, padding=1)
            self.bottle_up = nn.Conv2d(c.structure_dim, sizes[-1], 3, padding=1)
            self.doublings = nn.ModuleList(nn.Conv2d(b, a, 3, padding=1) for a, b in reversed(list(zip(sizes, sizes[1:]))))
            self.conv_out = nn.Conv2d(channels, width, 3, padding=1)
        self.widen = nn.Linear(width, c.hidden)
        self.queries_to_frames = nn.Linear(queries, c.times * rows * columns if self.whole else c.times)

    def encode(self, x, rows, columns):
        """Tokens [b, t, s, c] -> mean and log-variance [b, n_q, 2 d_S, h_S, w_S]."""
        b, t, s, c = x.shape
        if self.whole:
            return self.bottle_down(self.q_former(x.reshape(b, t * s, c)))
        x = x.transpose(1, 2).reshape(b * s, t, c)  # the places move into the batch
        x = self.q_former(x) if self.config.q_former else self.frames_to_queries(self.narrow(x).transpose(1, 2)).transpose(1, 2)
        x = x.reshape(b, rows, columns, x.shape[1], -1).permute(0, 3, 4, 1, 2).flatten(0, 1)
        x = self.conv_in(x)
        for halving in self.halvings:
            x = F.relu(halving(x))
        return self.bottle_down(x).unflatten(0, (b, -1))

    def decode(self, z, rows, columns):
        """z_s -> u_S, tokens [b, t, s, c]."""
        b, t = z.shape[0], self.config.times
        if self.whole:
            x = F.relu(self.widen(self.bottle_up(z)))
            return self.queries_to_frames(x.transpose(1, 2)).transpose(1, 2).reshape(b, t, rows * columns, -1)
        x = F.relu(self.bottle_up(z.flatten(0, 1)))
        for doubling in self.doublings:
            x = double(F.relu(doubling(x)), (2, 3))
        x = centre(self.conv_out(x), rows, columns).unflatten(0, (b, -1))  # [b, n_q, width, rows, columns]
        x = F.relu(self.widen(x.flatten(3).permute(0, 3, 1, 2)))  # [b, s, n_q, c]
        return self.queries_to_frames(x.transpose(2, 3)).permute(0, 3, 1, 2)


class Dynamics(nn.Module):
    """F_D and its way back: convolutions over the places, then the mean over the width and the mean over the height."""

    def __init__(self, c):
        super().__init__()
        self.config = c
        dim = c.dynamics_dim if c.average_dynamics else c.plane_dim
        self.halvings = nn.ModuleList(nn.Conv2d(c.hidden, c.hidden, 3, stride=2, padding=1) for _ in range(c.dynamics_halvings))
        self.head = nn.Conv2d(c.hidden, c.patch_frames * 2 * dim, 3, padding=1)
        self.widen = nn.Linear(c.patch_frames * dim, c.hidden)
        conv = nn.Conv1d if c.average_dynamics else nn.Conv2d
        self.doublings = nn.ModuleList(conv(c.hidden, c.hidden, 3, padding=1) for _ in range(c.dynamics_halvings))

    def encode(self, x, rows, columns):
        """Tokens [b, t, s, c] -> mean and log-variance [b, t, 2 d_D, h_D + w_D]: first per row, then per column."""
        b, t, s, c = x.shape
        x = x.reshape(b * t, rows, columns, c).permute(0, 3, 1, 2)
        for halving in self.halvings:
            x = F.relu(halving(x))
        if not self.config.average_dynamics:
            return frames_apart(self.head(x).unflatten(0, (b, t)), self.config)
        x = x.unflatten(0, (b, t)).transpose(1, 2)  # [b, c, t, h_D, w_D]
        return frames_apart(torch.cat([self.head(x.mean(4)), self.head(x.mean(3))], 3).transpose(1, 2), self.config)

    def decode(self, z, rows, columns):
        """z_d -> u_D of the rows plus u_D of the columns, tokens [b, t, s, c]."""
        z = frames_joined(z, self.config)
        b, t = z.shape[:2]
        if not self.config.average_dynamics:
            x = self.widen(z.flatten(0, 1).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            for doubling in self.doublings:
                x = doubling(double(F.relu(x), (2, 3)))
            return centre(x, rows, columns).flatten(2).transpose(1, 2).unflatten(0, (b, t))
        h = halve(rows, self.config.dynamics_halvings)
        parts = []
        for x, length in ((z[..., :h], rows), (z[..., h:], columns)):
            x = self.widen(x.flatten(0, 1).transpose(1, 2)).transpose(1, 2)  # [b t, c, places]
            for doubling in self.doublings:
                x = doubling(double(F.relu(x), (2,)))
            start = (x.shape[2] - length) // 2
            parts.append(x[..., start : start + length])
        return (parts[0][..., :, None] + parts[1][..., None, :]).flatten(2).transpose(1, 2).unflatten(0, (b, t))


class Single(nn.Module):
    """Ablation without disentanglement: one latent [b, t, d, h_S, w_S] of about as many numbers."""

    def __init__(self, c):
        super().__init__()
        self.config = c
        self.halvings = nn.ModuleList(nn.Conv2d(c.hidden, c.hidden, 3, stride=2, padding=1) for _ in range(c.structure_halvings))
        self.head = nn.Conv2d(c.hidden, c.patch_frames * 2 * c.single_dim, 3, padding=1)
        self.widen = nn.Conv2d(c.patch_frames * c.single_dim, c.hidden, 3, padding=1)
        self.doublings = nn.ModuleList(nn.Conv2d(c.hidden, c.hidden, 3, padding=1) for _ in range(c.structure_halvings))

    def encode(self, x, rows, columns):
        b, t, s, c = x.shape
        x = x.reshape(b * t, rows, columns, c).permute(0, 3, 1, 2)
        for halving in self.halvings:
            x = F.relu(halving(x))
        return frames_apart(self.head(x).unflatten(0, (b, t)), self.config)

    def decode(self, z, rows, columns):
        z = frames_joined(z, self.config)
        b, t = z.shape[:2]
        x = self.widen(z.flatten(0, 1))
        for doubling in self.doublings:
            x = doubling(double(F.relu(x), (2, 3)))
        return centre(x, rows, columns).flatten(2).transpose(1, 2).unflatten(0, (b, t))


class VidTwin(nn.Module):
    def __init__(self, config=PRESETS["tiny"]):
        super().__init__()
        self.config = c = config
        self.direct = Direct(c) if c.has_direct else None
        numbers = c.direct if c.has_direct else 3 * c.patch_frames * c.patch**2
        self.patch_in = nn.Linear(numbers, c.hidden)
        self.encoder = nn.ModuleList(Block(c.hidden, c.heads, c.causal) for _ in range(c.depth))
        self.encoder_norm = nn.LayerNorm(c.hidden, eps=1e-6)
        if c.disentangle:
            self.structure, self.dynamics = Structure(c), Dynamics(c)
        else:
            self.single = Single(c)
        self.decoder = nn.ModuleList(Block(c.hidden, c.heads, c.causal) for _ in range(c.depth))
        self.decoder_norm = nn.LayerNorm(c.hidden, eps=1e-6)
        self.patch_out = nn.Linear(c.hidden, numbers)
        for name, module in self.named_modules():
            if isinstance(module, (nn.Conv1d, nn.Conv2d)) or name.endswith("widen"):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")  # PyTorch's default fades over the structure's five
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                if not name.endswith("time_out"):
                    nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.patch_out.weight)
        with torch.no_grad():
            heads = [(self.structure.bottle_down, 1), (self.dynamics.head, c.patch_frames)] if c.disentangle else [(self.single.head, c.patch_frames)]
            for head, frames in heads:
                halves = torch.arange(len(head.bias)) // (len(head.bias) // (2 * frames))  # means, log-variances, means of the next frame ...
                variances = halves % 2 == 1
                head.weight[variances] *= 0.1
                head.bias[variances] = -4  # log-variance: little noise at first
        self.run_block = block  # training puts a compiled one here
        self.position_cache = {}

    def positions(self, rows, columns, device):
        """Computed, not stored."""
        key = (rows, columns, device)
        if key not in self.position_cache:
            self.position_cache[key] = positions(self.config.times, rows, columns, self.config.hidden).to(device)
        return self.position_cache[key]

    def grid(self, height, width):
        stride = self.config.patch
        assert height % stride == 0 and width % stride == 0, f"height and width must be multiples of {stride}"
        return height // stride, width // stride

    def patches(self, clip):
        """[b, 3, frames, h, w] -> [b, times, s, patch_frames * 3 * patch * patch], the frames of a patch one after the other, or the numbers that stand for
        them [b, times, s, direct]."""
        pixels = self.pixel_patches(clip)
        return self.direct.narrow(pixels) if self.direct else pixels

    def pixel_patches(self, clip):
        b, _, t, height, width = clip.shape
        assert t == self.config.frames, f"clips have {self.config.frames} frames"
        (rows, columns), p, f = self.grid(height, width), self.config.patch, self.config.patch_frames
        x = clip.reshape(b, 3, t // f, f, rows, p, columns, p).permute(0, 2, 4, 6, 3, 1, 5, 7)
        return x.reshape(b, t // f, rows * columns, f * 3 * p * p)

    def tokens(self, patches, rows, columns):
        """-> encoder's output [b, times, s, c]"""
        x = self.patch_in(patches) + self.positions(rows, columns, patches.device)
        for layer in self.encoder:
            x = self.run_block(x, layer.heads, layer.causal, *layer.tensors())
        return self.encoder_norm(x)

    def pixels(self, x, height, width, direct=0.0):
        """Tokens [b, times, s, c] -> clip [b, 3, frames, h, w], with what is added to the patches; not clamped."""
        b, t, s, _ = x.shape
        (rows, columns), p, f = self.grid(height, width), self.config.patch, self.config.patch_frames
        x = (x + self.positions(rows, columns, x.device)).contiguous()
        if torch.is_tensor(direct):
            x = x + self.direct.read(direct)
        for layer in self.decoder:
            x = self.run_block(x, layer.heads, layer.causal, *layer.tensors())
        x = self.patch_out(self.decoder_norm(x)) + direct
        if self.direct:
            x = self.direct.widen(x)
        return x.reshape(b, t, rows, columns, f, 3, p, p).permute(0, 5, 1, 4, 2, 6, 3, 7).reshape(b, 3, t * f, height, width)

    def moments(self, clip):
        """[(mean, logvar)] of z_s and z_d, or of the one latent."""
        rows, columns = self.grid(*clip.shape[-2:])
        patches = self.patches(clip)
        x = self.tokens(patches, rows, columns)
        parts = [self.structure, self.dynamics] if self.config.disentangle else [self.single]
        result = []
        for part in parts:
            mean, logvar = part.encode(x, rows, columns).float().chunk(2, 2)
            result.append((mean, logvar.clamp(-30, 20)))
        if self.direct:
            result[0] = (result[0][0] * self.direct.open + self.direct.encode(patches, rows, columns), result[0][1])
        return result

    def encode(self, clip):
        """The means: (z_s, z_d). Without disentanglement (z, None)."""
        means = [mean for mean, _ in self.moments(clip)]
        return means[0], means[1] if len(means) > 1 else None

    def embed(self, z_s, z_d, height, width, keep_s=1.0, keep_d=1.0):
        """u_S + u_D, each times a factor (0 leaves it out)."""
        rows, columns = self.grid(height, width)
        if not self.config.disentangle:
            return self.single.decode(z_s, rows, columns)
        u = 0.0
        if z_s is not None:
            u = u + keep_s * self.structure.decode(z_s, rows, columns)
        if z_d is not None:
            u = u + keep_d * self.dynamics.decode(z_d, rows, columns)
        return u

    def beside(self, z_s, height, width, keep_s=1.0):
        """What the linear code adds to the patches."""
        if z_s is None or not self.direct:
            return 0.0
        return keep_s * self.direct.decode(z_s, *self.grid(height, width))

    def decode(self, z_s, z_d, size=None):
        """`size` is (height, width), the preset's own where left out."""
        height, width = size or (self.config.height, self.config.width)
        return self.pixels(self.embed(z_s, z_d, height, width), height, width, self.beside(z_s, height, width))

    def decode_structure(self, z_s, size=None):
        return self.decode(z_s, None, size)

    def decode_dynamics(self, z_d, size=None):
        return self.decode(None, z_d, size)

    def cross(self, clip_a, clip_b):
        """D(u_S of A, u_D of B): objects and structure of A, local detail and fast motion of B."""
        return self.decode(self.encode(clip_a)[0], self.encode(clip_b)[1], tuple(clip_a.shape[-2:]))

    def forward(self, clip, keep_s=1.0, keep_d=1.0, sample=True):
        """Training: (reconstruction, sum of the Kullback-Leibler divergences per clip)."""
        kl, latents = 0.0, []
        for mean, logvar in self.moments(clip):
            latents.append(mean + torch.randn_like(mean) * (0.5 * logvar).exp() if sample else mean)
            kl = kl + 0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum() / clip.shape[0]
        latents += [None] * (2 - len(latents))
        height, width = clip.shape[-2:]
        u = self.embed(*latents, height, width, keep_s, keep_d)
        return self.pixels(u, height, width, self.beside(latents[0], height, width, keep_s)).float(), kl


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def save_weights(model, folder):
    """model.safetensors in float16, whole or not at all."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: p.detach().to("cpu", torch.float16).contiguous() for name, p in model.state_dict().items()}
    partial = folder.resolve().parent / f"{folder.name}.partial"  # beside, so that the folder never holds two
    save_file(weights, str(partial))
    partial.chmod(0o644)
    partial.replace(folder / "model.safetensors")


def save(model, folder, about=None):
    """model.safetensors in float16 and config.json."""
    folder = Path(folder)
    save_weights(model, folder)
    c = model.config
    structure, dynamics = c.latent_shapes()
    config = {
        "version": 1,
        "method": "VidTwin",
        **asdict(c),
        "structureShape": structure,
        "dynamicsShape": dynamics,
        "compressionRate": c.rate(),
        "parameters": parameters(model),
        "layerNormEpsilon": {"blocks, encoder_norm, decoder_norm": 1e-6, "q_former": 1e-5},
        **(about or {}),
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def load(folder, device="cpu"):
    """A saved model, with float32 weights."""
    from safetensors.torch import load_file

    folder = Path(folder)
    about = json.loads((folder / "config.json").read_text())
    model = VidTwin(Config(**{k: about[k] for k in asdict(Config()) if k in about}))
    model.load_state_dict({k: v.float() for k, v in load_file(str(folder / "model.safetensors")).items()})
    return model.to(device).eval()


def describe():
    """Parameters, floating point operations and rates of every preset and ablation."""
    from torch.utils.flop_counter import FlopCounterMode

    for name, config in PRESETS.items():
        for ablation, changes in ABLATIONS.items():
            c = replace(config, **changes)
            with torch.device("meta"):
                model, clip = VidTwin(c), torch.zeros(1, 3, c.frames, c.height, c.width)
                model.positions = lambda rows, columns, device, c=c: torch.zeros(c.frames, rows * columns, c.hidden, device="meta")
                with FlopCounterMode(display=False) as counter:
                    z = model.encode(clip)
                encoding = counter.get_total_flops()
                with FlopCounterMode(display=False) as counter:
                    model.decode(*z)
            sizes = " ".join(str(tuple(x.shape[1:])) if x is not None else "-" for x in z)
            print(f"{name:12} {ablation:19} {parameters(model) / 1e6:8.2f} M, encode {encoding / 1e9:7.1f} + decode "
                  f"{counter.get_total_flops() / 1e9:7.1f} GFLOP, latents {sizes}, {c.numbers()} numbers, rate {c.rate():.4%}")


if __name__ == "__main__":
    describe()
