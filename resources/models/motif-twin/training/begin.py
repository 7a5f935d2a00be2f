"""Lets a twin with a linear code begin: first as that code, principal components of kinds of cells, and then, with the code as it is, everything that is decoded beside it
and the dynamics, on the numbers of patches alone. Most of a clip's error lies in these; without pixels a step of 48 clips takes as long as one of twelve with them."""

from argparse import Namespace

import numpy as np
import torch

from optimiser import Muon
from precision import autocast
from run import Run

CLIPS = 9000  # whose numbers are kept
BATCH = 48
PLAIN = ["modulation", "patch_in", "patch_out", "direct", "dynamics.head", "bottle_up"]  # Adam's, though they are matrices


@torch.no_grad()
def principal(covariance, count):
    """Components [count, d] of most energy, each of length one, and their energies [count]."""
    energy, vectors = torch.linalg.eigh(covariance)
    return vectors.T.flip(0)[:count].contiguous(), energy.flip(0)[:count]


@torch.no_grad()
def kinds_of(x, kinds, count, rounds=8, shrink=50.0):
    """Parts cells x [n, d] into kinds, each with its mean and the components that leave least of it: -> means [kinds, d], components [kinds, count, d],
    energies [kinds, count]. It begins with cells of equal error by one code for all and lets each go where it leaves the least error, as k-means does with
    distances (k-planes, Bradley & Mangasarian 2000). A kind's covariance counts as `shrink` cells of all kinds more, so that rare kinds learn nothing by heart."""
    mean = x.mean(0)
    whole = (x - mean).T @ (x - mean) / len(x)
    components, energy = principal(whole, count)
    if kinds == 1:
        return mean[None], components[None], energy[None]
    left = lambda mean, components: (x - mean).square().sum(1) - ((x - mean) @ components.T).square().sum(1)
    kind = left(mean, components).argsort().argsort() * kinds // len(x)
    for _ in range(rounds):
        found, least, nearest = [], torch.full((len(x),), torch.inf), torch.zeros(len(x), dtype=torch.long)
        for k in range(kinds):
            own = x[kind == k]
            centre = (own.sum(0) + shrink / 10 * mean) / (len(own) + shrink / 10)
            covariance = ((own - centre).T @ (own - centre) + shrink * whole) / (len(own) + shrink)
            found.append((centre, *principal(covariance, count)))
            error = left(*found[k][:2])
            nearest[error < least] = k
            least = torch.minimum(least, error)
        kind = nearest
    return tuple(torch.stack(part) for part in zip(*found))


@torch.no_grad()
def turned(means, components, mean, common):
    """Turns each kind's components within what they span until they are as near to `common` [count, d] as they come (orthogonal Procrustes), and moves its mean there too,
    so that the numbers of a cell say the same of it whatever its kind: what is decoded stays as it was, and neighbours become three times as like each other."""
    turns = [torch.linalg.svd(common @ own.T) for own in components]
    components = torch.stack([u @ v @ own for (u, _, v), own in zip(turns, components)])
    inside = torch.einsum("kni,ki->kn", components, means - mean)
    return means - torch.einsum("kni,kn->ki", components, inside), components


@torch.no_grad()
def on_a_sheet(means, energies, side):
    """An order of kinds in which neighbours on a square sheet of side x side are alike: sorted by the first of two principal components of what they are, and each
    row by the second."""
    about = torch.cat([means, energies.log()], 1)
    about = (about - about.mean(0)) / (about.std(0) + 1e-6)
    first, second = (about @ principal(about.T @ about, 2)[0].T).unbind(1)
    rows = first.argsort().view(side, side)
    return torch.cat([row[second[row].argsort()] for row in rows])


@torch.no_grad()
def begin_direct(model, draw, deviation=4.0, batches=40):
    """Lets the linear code begin as principal components, of patches and then of each kind of cells. Latents begin with one deviation, far above the noise that they
    get; the network's own part of their means begins as nothing, and what it reads has a deviation of one. `draw` gives a hundred clips
    [n, 3, frames, h, w]; some minutes."""
    c, direct = model.config, model.direct
    patches = torch.cat([model.pixel_patches(draw()).flatten(0, 2)[::8] for _ in range(12)])
    mean = patches.mean(0)
    basis, energy = principal((patches - mean).T @ (patches - mean) / len(patches), c.direct)
    for layer, weight, bias in ((direct.narrow, basis, -basis @ mean), (direct.widen, basis.T, mean)):
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    model.patch_in.weight.div_(energy.sqrt())
    direct.read.weight.div_(energy.sqrt())
    model.structure.bottle_up.weight.div_(deviation)
    cells = torch.cat([direct.gather(model.patches(x), *model.grid(*x.shape[-2:])).flatten(0, 2) for x in (draw() for _ in range(batches))])
    means, components, energies = kinds_of(cells, c.kinds, direct.components.shape[1])
    order = on_a_sheet(means, energies, c.side) if c.kinds > 1 else [0]
    mean = cells.mean(0)
    common, energy = principal((cells - mean).T @ (cells - mean) / len(cells), components.shape[1])
    means, components = turned(means, components, mean, common)
    direct.mean.copy_(means[order])
    direct.components.copy_(components[order])
    direct.scale.copy_(deviation / energy.sqrt())
    head = model.structure.bottle_down
    head.weight[: len(head.bias) // 2] = 0


class Numbers:
    """Numbers of the patches of steadied clips, in float16, by size: [n, times, s, direct]."""

    @torch.no_grad()
    def __init__(self, model, draw, sizes):
        self.sizes, self.numbers = sizes, {}
        for size, share in zip(sizes, (0.7, 0.15, 0.15)):
            self.numbers[size] = torch.cat([model.patches(draw(50, size)).half() for _ in range(round(CLIPS * share / 50))])

    def batch(self, random):
        """-> [batch, times, s, direct], (height, width)"""
        counts = np.array([len(self.numbers[size]) for size in self.sizes], float)
        size = self.sizes[random.choice(len(self.sizes), p=counts / counts.sum())]
        return self.numbers[size][torch.from_numpy(random.integers(len(self.numbers[size]), size=BATCH))].float(), size


def coded(model, numbers, size):
    """Numbers of patches -> z_s of the linear code and what it decodes to."""
    grid = model.grid(*size)
    z = model.direct.encode(numbers, *grid)
    return z, model.direct.decode(z, *grid)


def bettered(model, numbers, z_s, plain, size):
    """What the network makes of them with its dynamics, in the numbers of patches, by the deviation of what is left: [b, times, s, direct]."""
    rows, columns = model.grid(*size)
    z_d = model.dynamics.encode(model.tokens(numbers, rows, columns), rows, columns).chunk(2, 2)[0]
    x = model.structure.decode(z_s, rows, columns) + model.dynamics.decode(z_d, rows, columns)
    x = x + model.positions(rows, columns, x.device) + model.direct.read(plain)
    for layer in model.decoder:
        x = model.run_block(x, layer.heads, layer.causal, *layer.tensors())
    return model.patch_out(model.decoder_norm(x))


def begin(model, mean, batch, sizes, folder, options, random, measure):
    """Both steps; goes on where it was stopped, as `Run` does. `batch(count, size)` draws clips, `measure()` measures `mean`; afterwards both have what was learned."""
    folder.mkdir(parents=True, exist_ok=True)
    code, known = folder / "code.pt", None
    if not code.exists():
        begin_direct(model, lambda: batch(100, sizes[0]))
    else:
        known = torch.load(code)
        model.load_state_dict(known["model"])
    optimiser = Muon(model, 0.006, 0.0015, plain=PLAIN)
    run = Run(folder, Namespace(**{**vars(options), "minutes": options.begin_minutes, "fall": 0.6, "warm_up": 1}), model, mean, optimiser, random)
    numbers = Numbers(model, batch, sizes) if run.minutes < options.begin_minutes else None
    if not known:
        with torch.no_grad():
            errors = [x - coded(model, x, size)[1] for x, size in (numbers.batch(random) for _ in range(8))]
        known = {"model": model.state_dict(), "deviation": torch.stack([e.square().mean((0, 1, 2)) for e in errors]).mean(0).sqrt()}
        torch.save(known, code.with_suffix(".partial"))
        code.with_suffix(".partial").replace(code)
    deviation = known["deviation"]
    outside = 3 * model.config.patch_frames * model.config.patch**2  # numbers of a patch's pixels

    @torch.no_grad()
    def scaled(network, by):
        for p in (network.patch_out.weight, network.patch_out.bias):
            p.mul_(by if p.ndim == 1 else by[:, None])

    def measured():
        scaled(mean, deviation)
        found = measure()
        scaled(mean, 1 / deviation)
        return found

    print(f"begins: {measured()}", flush=True)
    while run.going():
        x, size = numbers.batch(random)
        with torch.no_grad():
            z_s, plain = coded(model, x, size)
        with autocast():
            made = plain + deviation * bettered(model, x, z_s, plain, size).float()
        error = (made - x).square().sum(-1).mean((1, 2)) / outside + 1e-4  # of each clip; what these numbers leave out is about so much
        run.learn(error.mean() + 0.1 * error.sqrt().mean(), {"error": error.mean(), "of the code": (plain - x).square().sum(-1).mean() / outside + 1e-4}, measured)
    run.end(measured)
    for network in (model, mean):
        scaled(network, deviation)
    model.load_state_dict(mean.state_dict())
