"""A small diffusion transformer that makes both latents of a twin from words, by flow matching.

x = (1 - sigma) x0 + sigma noise in normalised latents; the network predicts noise - x0. Its tokens are the places of the structure (the numbers of
all queries there) and the lines of the dynamics (the numbers of all frames there): 64 + 16 for pictures of 128 x 128, whatever the length. Behind the
columns a twin that steadies its clips has `path_lines` lines more, with the camera's path.

A twin with kinds of cells says the same thing by other numbers in every kind, and at a border of two kinds nothing goes on. There the tokens hold `common` principal
components of what all cells decode to, in which neighbours are alike, and what was made is coded by kinds at the end.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

from vidtwin import attend, save_weights, sinusoids


@dataclass(frozen=True)
class Config:
    name: str = "twin-generator"
    hidden: int = 192
    depth: int = 6
    heads: int = 3
    feed_forward: int = 768
    time_features: int = 256
    text_width: int = 256
    # of the twin whose latents it makes
    queries: int = 4
    structure_dim: int = 4
    frames: int = 16
    dynamics_dim: int = 4
    path_lines: int = 0
    common: int = 0  # numbers of a place that all cells have in common, instead of those of the queries
    cell: int = 0  # numbers that a cell decodes to

    @property
    def structure_size(self):
        return self.common or self.queries * self.structure_dim

    @property
    def dynamics_size(self):
        return self.frames * self.dynamics_dim


def structure_tokens(z):
    """[b, queries, d, rows, columns] -> [b, rows x columns, queries x d]"""
    return z.permute(0, 3, 4, 1, 2).flatten(3).flatten(1, 2)


def dynamics_tokens(z):
    """[b, frames, d, lines] -> [b, lines, frames x d]"""
    return z.permute(0, 3, 1, 2).flatten(2)


def structure_latent(x, config, rows, columns):
    return x.reshape(x.shape[0], rows, columns, config.queries, config.structure_dim).permute(0, 3, 4, 1, 2)


def dynamics_latent(x, config):
    return x.reshape(x.shape[0], x.shape[1], config.frames, config.dynamics_dim).permute(0, 2, 3, 1)


class Common(nn.Module):
    """What the tokens of structure hold where cells are of several kinds: components [count, numbers] of what they decode to, less its mean [numbers]."""

    def __init__(self, count, numbers):
        super().__init__()
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("components", torch.zeros(count, numbers))

    def tokens(self, twin, z):
        """z_s [b, queries, d, rows, columns] -> [b, rows x columns, count]"""
        return (cells(twin, z) - self.mean) @ self.components.T

    def latent(self, twin, x, rows, columns):
        """Inverse of `tokens`, but for what the components leave out: every cell as the kind that suits it best."""
        made = x @ self.components + self.mean
        side, c = twin.direct.cell_side, twin.config
        made = made.unflatten(1, (rows, columns)).unflatten(3, (c.times, side, side, -1))
        numbers = made.permute(0, 3, 1, 4, 2, 5, 6).flatten(4, 5).flatten(2, 3).flatten(2, 3)
        return twin.direct.encode(numbers, rows * side, columns * side)


def cells(twin, z):
    """What cells decode to [b, rows x columns, numbers], whole ones."""
    rows, columns = (twin.direct.cell_side * n for n in z.shape[-2:])
    return twin.direct.gather(twin.direct.decode(z, rows, columns), rows, columns).flatten(1, 2)


def time_features(timesteps, size):
    """[b], 0 to 1000 -> [b, size]: cosines, then sines."""
    rates = torch.exp(-math.log(10000) * torch.arange(size // 2, dtype=torch.float32) / (size // 2))
    angles = timesteps[:, None].float() * rates
    return torch.cat([angles.cos(), angles.sin()], 1)


def positions(rows, columns, path_lines, size):
    """[rows x columns + rows + columns + path_lines, size]: a place has its column in the first half and its row in the second, a line what it has of
    these, the camera's path zeros."""
    row, column = sinusoids(torch.arange(rows), size // 2), sinusoids(torch.arange(columns), size // 2)
    places = torch.cat([column[None].expand(rows, -1, -1), row[:, None].expand(-1, columns, -1)], -1).flatten(0, 1)
    along_rows, along_columns = torch.cat([torch.zeros_like(row), row], 1), torch.cat([column, torch.zeros_like(column)], 1)
    return torch.cat([places, along_rows, along_columns, torch.zeros(path_lines, size)])


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, n = c.heads, c.hidden
        self.table = nn.Parameter(torch.zeros(6, n))  # shift, scale, gate of attention; shift, scale, gate of the feed-forward
        self.qkv, self.out = nn.Linear(n, 3 * n), nn.Linear(n, n)
        self.norm = nn.LayerNorm(n, eps=1e-6)
        self.text_q, self.text_kv, self.text_out = nn.Linear(n, n), nn.Linear(n, 2 * n), nn.Linear(n, n)
        self.up, self.down = nn.Linear(n, c.feed_forward), nn.Linear(c.feed_forward, n)
        with torch.no_grad():
            self.table[2] = self.table[5] = 0.3

    def forward(self, x, time, text):
        """x [b, tokens, c], time [b, 6, c], text [b, words, c]"""
        shift, scale, gate, shift_f, scale_f, gate_f = (self.table + time)[:, :, None].unbind(1)
        y = F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift
        x = x + gate * self.out(attend(*self.qkv(y).chunk(3, -1), self.heads))
        x = x + self.text_out(attend(self.text_q(self.norm(x)), *self.text_kv(text).chunk(2, -1), self.heads))
        y = F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale_f) + shift_f
        return x + gate_f * self.down(F.gelu(self.up(y), approximate="tanh"))


class TwinGenerator(nn.Module):
    def __init__(self, config=Config()):
        super().__init__()
        self.config = c = config
        n = c.hidden
        self.common = Common(c.common, c.cell) if c.common else None
        self.structure_in, self.dynamics_in = nn.Linear(c.structure_size, n), nn.Linear(c.dynamics_size, n)
        self.kinds = nn.Parameter(0.02 * torch.randn(3 + c.path_lines, n))  # places, rows, columns, each line of the path
        self.time_in, self.time_out, self.time_table = nn.Linear(c.time_features, n), nn.Linear(n, n), nn.Linear(n, 6 * n)
        self.text_in, self.text_out = nn.Linear(c.text_width, n), nn.Linear(n, n)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c.depth))
        self.table = nn.Parameter(torch.zeros(2, n))
        self.structure_out, self.dynamics_out = nn.Linear(n, c.structure_size), nn.Linear(n, c.dynamics_size)
        with torch.no_grad():
            for name, module in self.named_modules():
                if isinstance(module, nn.Linear):
                    nn.init.xavier_uniform_(module.weight)
                    nn.init.zeros_(module.bias)
            self.time_table.weight.mul_(0.1)
            for last in (self.structure_out, self.dynamics_out):
                nn.init.zeros_(last.weight)

    def forward(self, structure, dynamics, sigma, text, grid):
        """Tokens [b, places, .] and [b, lines, .], sigma [b], text [b, words, text_width], grid (rows, columns) -> the flow of both."""
        rows, columns = grid
        counts = torch.tensor([rows * columns, rows, columns, *[1] * self.config.path_lines])
        kinds = self.kinds.repeat_interleave(counts, 0)
        x = torch.cat([self.structure_in(structure), self.dynamics_in(dynamics)], 1) + kinds + positions(rows, columns, self.config.path_lines, self.config.hidden)
        time = self.time_out(F.silu(self.time_in(time_features(1000 * sigma, self.config.time_features))))
        table = self.time_table(F.silu(time)).unflatten(1, (6, -1))
        text = self.text_out(F.gelu(self.text_in(text), approximate="tanh"))
        for block in self.blocks:
            x = block(x, table, text)
        shift, scale = (self.table + time[:, None])[:, :, None].unbind(1)
        x = F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift
        return self.structure_out(x[:, : rows * columns]), self.dynamics_out(x[:, rows * columns :])


def parameters(model):
    return sum(p.numel() for p in model.parameters())


def weights_hash(folder):
    """Of the twin whose latents it was trained on; a generator makes no others."""
    return hashlib.sha256((Path(folder) / "model.safetensors").read_bytes()).hexdigest()


def save(model, folder, twin, statistics, about=None):
    """model.safetensors in float16 and config.json; `twin` has name, weights (their hash), height and width, `statistics` mean and deviation
    of each number of both kinds of tokens."""
    folder = Path(folder)
    save_weights(model, folder)
    config = {"version": 1, "method": "TwinGenerator", **asdict(model.config), "twin": twin, **statistics, "parameters": parameters(model), **(about or {})}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


if __name__ == "__main__":
    print(f"{parameters(TwinGenerator()) / 1e6:.2f} M parameters")
