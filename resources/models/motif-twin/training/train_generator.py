"""Trains what makes a twin's latents from words, by flow matching, on one core of a processor; goes on where it was stopped.

    python train_generator.py --twin FOLDER --name v1 --world c --minutes 240

FOLDER is a trained twin. Rendered clips are encoded by it once (a part of a shard at a time, kept in the training cache); their captions are read by
motif-tiny's text encoder. What comes out, generator/NAME/export in the cache, belongs into FOLDER/generator.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import torch
from transformers import UMT5EncoderModel

sys.path.insert(1, str(Path(__file__).resolve().parents[2] / "motif-tiny/training"))

import data  # noqa: E402
import generator  # noqa: E402
import steady  # noqa: E402
import vidtwin  # noqa: E402
from begin import principal  # noqa: E402
from networks import embed, load_tokenizer, tokenize  # noqa: E402
from optimiser import Muon  # noqa: E402
from precision import autocast  # noqa: E402
from run import Run, add_options  # noqa: E402

CACHE = data.CACHE / "generator"
PART = 100  # clips that are encoded before what is known is kept


class Latents:
    """Tokens of rendered clips, by the grid of their structure: [(structure [n, places, .], dynamics [n, lines, .], captions)]. Encodes what is missing
    until `limit` clips are known."""

    def __init__(self, folder, versions, training, limit):
        self.folder, self.groups = Path(folder), {}
        cache = CACHE / f"latents-{generator.weights_hash(folder)[:12]}"
        cache.mkdir(parents=True, exist_ok=True)
        count, twin = 0, None
        for frames, items, use, path in data.WorldShards(*versions, training=training).shards:
            for start in range(0, len(use), PART):
                if count >= limit:
                    return
                part = use[start : start + min(PART, limit - count)]
                kept = cache / f"{path.parent.name}-{path.stem}-{'train' if training else 'held-out'}-{start}-{len(part)}.npz"
                if not kept.exists():
                    twin = twin or vidtwin.load(folder)
                    self.encode(twin, kept, frames, part)
                    print(f"encoded {kept.stem}", flush=True)
                with np.load(kept) as stored:
                    captions = [(items[i]["static"], items[i]["dynamic"]) for i in part]
                    self.groups.setdefault(tuple(stored["grid"].tolist()), []).append((stored["structure"], stored["dynamics"], captions))
                count += len(part)

    @staticmethod
    @torch.no_grad()
    def encode(twin, kept, frames, part):
        c, structure, dynamics = twin.config, [], []
        for i in part:
            with autocast():
                z_s, z_d = steady.encode(twin, frames[i][: c.frames])
            structure.append(generator.structure_tokens(z_s.float())[0].half().numpy())
            dynamics.append(generator.dynamics_tokens(z_d.float())[0].half().numpy())
        partial = kept.with_suffix(".partial")
        with open(partial, "wb") as file:
            np.savez(file, structure=np.stack(structure), dynamics=np.stack(dynamics), grid=np.array(z_s.shape[-2:]))
        partial.replace(kept)

    def __len__(self):
        return sum(len(captions) for group in self.groups.values() for *_, captions in group)

    @torch.no_grad()
    def common(self, twin, count):
        """Principal components of what the structure's cells decode to."""
        total, squares, seen = 0.0, 0.0, 0
        for x in self.cells(twin):
            total, squares, seen = total + x.sum(0), squares + x.T @ x, seen + len(x)
        found = generator.Common(count, len(total))
        found.mean.copy_(total / seen)
        found.components.copy_(principal((squares / seen - found.mean.outer(found.mean)).float(), count)[0])
        return found

    def cells(self, twin):
        for structure, rows, columns in self.structures():
            z = generator.structure_latent(torch.from_numpy(structure).float(), twin.config, rows, columns)
            yield generator.cells(twin, z).flatten(0, 1).double()

    def structures(self):
        return ((structure, *grid) for grid, group in self.groups.items() for structure, *_ in group)

    @torch.no_grad()
    def turn(self, twin, common):
        """Lets the tokens of structure be those in common."""
        for (rows, columns), group in self.groups.items():
            for i, (structure, *rest) in enumerate(group):
                z = generator.structure_latent(torch.from_numpy(structure).float(), twin.config, rows, columns)
                group[i] = (common.tokens(twin, z).numpy(), *rest)

    def statistics(self):
        found = {}
        for name, index in (("structure", 0), ("dynamics", 1)):
            values = np.concatenate([part[index].reshape(-1, part[index].shape[-1]) for group in self.groups.values() for part in group]).astype(np.float64)
            found[f"{name}_mean"], found[f"{name}_std"] = values.mean(0).tolist(), np.maximum(values.std(0), 1e-3).tolist()
        return found

    def statistics_in_common(self):
        """Large components of cells stay larger than small ones, by the root of their deviation, with a mean square of one."""
        found = self.statistics()
        root = np.sqrt(found["structure_std"])
        found["structure_std"] = (root * np.sqrt(np.mean(root**2))).tolist()
        return found

    def batch(self, random, size):
        """-> structure, dynamics, [(static[], dynamic[])], grid"""
        grids = list(self.groups)
        counts = np.array([sum(len(part[2]) for part in self.groups[grid]) for grid in grids], float)
        grid = grids[random.choice(len(grids), p=counts / counts.sum())]
        group = self.groups[grid]
        sizes = np.array([len(part[2]) for part in group], float)
        picked = []
        for _ in range(size):
            structure, dynamics, captions = group[random.choice(len(group), p=sizes / sizes.sum())]
            i = random.integers(len(captions))
            picked.append((structure[i], dynamics[i], captions[i]))
        stack = lambda index: torch.from_numpy(np.stack([p[index] for p in picked]).astype(np.float32))
        return stack(0), stack(1), [p[2] for p in picked], grid


def words(random, caption, drop=0.1):
    """One wording of both parts; nothing for a tenth, so that there is something to lead away from."""
    if random.random() < drop:
        return ""
    return " ".join(parts[random.integers(len(parts))] for parts in caption if parts)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(p, ema=0.999)
    p.add_argument("--twin", required=True, help="folder of a trained twin")
    p.add_argument("--clips", type=int, default=100_000, help="so many clips at most")
    p.add_argument("--common", type=int, default=0, help="for a twin with kinds of cells: so many components that all have in common")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--no-compile", action="store_true")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    random = np.random.default_rng(a.seed)
    about = json.loads((Path(a.twin) / "config.json").read_text())
    assert about["disentangle"] and about["average_dynamics"] and about["move_space"], "it makes the latents of a whole twin, not of an ablation"
    assert about["structure_halvings"] == about["dynamics_halvings"], "its lines are those of the structure's places"
    latents, held_out = Latents(a.twin, a.world, True, a.clips), Latents(a.twin, a.validation, False, min(a.clips, 200))
    twin_network = vidtwin.load(a.twin)
    common = None
    if a.common:
        common = latents.common(twin_network, a.common)
        for source in (latents, held_out):
            source.turn(twin_network, common)
    statistics = latents.statistics_in_common() if common else latents.statistics()
    centre = {k: torch.tensor(v) for k, v in statistics.items()}
    (rows, columns), groups = next(iter(latents.groups.items()))
    path_lines = groups[0][1].shape[1] - rows - columns
    config = generator.Config(queries=about["queries"], structure_dim=about["structure_dim"], frames=about["frames"], dynamics_dim=about["dynamics_dim"],
                              path_lines=path_lines, common=a.common, cell=len(common.mean) if common else 0)
    model, mean = generator.TwinGenerator(config), generator.TwinGenerator(config).eval()
    if common:
        model.common.load_state_dict(common.state_dict())
    optimiser = Muon(model, a.rate, a.adam_rate, plain=["table", "kinds", "structure_in", "dynamics_in", "structure_out", "dynamics_out", "time_", "text_in"])
    reader, tokenizer = UMT5EncoderModel.from_pretrained(data.MODEL / "text_encoder", dtype=torch.float32).eval().requires_grad_(False), load_tokenizer()
    run = Run(CACHE / a.name, a, model, mean, optimiser, random)

    def errors(network, source, draw, size, sigma, noise=None):
        """Mean squared errors of the flow of structure and of dynamics."""
        structure, dynamics, captions, grid = source.batch(draw, size)
        texts = [words(draw, caption) for caption in captions]
        with torch.no_grad(), autocast():
            text = embed(reader, *tokenize(tokenizer, texts)).float()
        clean = (structure - centre["structure_mean"]) / centre["structure_std"], (dynamics - centre["dynamics_mean"]) / centre["dynamics_std"]
        noise = [torch.randn(x.shape, generator=noise) for x in clean]
        s = sigma[:, None, None]
        with autocast():
            flow = network(*((1 - s) * x + s * n for x, n in zip(clean, noise)), sigma, text, grid)
        return [(f.float() - (n - x)).square().mean() for f, n, x in zip(flow, noise, clean)]

    @torch.no_grad()
    def validate():
        if not len(held_out):
            return {}
        draw, noise = np.random.default_rng(7), torch.Generator().manual_seed(7)
        rows = [[e.item() for e in errors(mean, held_out, draw, 16, (torch.arange(16) + 0.5) / 16, noise)] for _ in range(8)]
        return dict(zip(["structure", "dynamics"], np.round(np.mean(rows, 0), 4).tolist()))

    network = model if a.no_compile else torch.compile(model, dynamic=False)
    print(f"{generator.parameters(model)} parameters, {len(latents)} clips, {len(held_out)} held out", flush=True)
    while run.going():
        structure, dynamics = errors(network, latents, random, a.batch, torch.sigmoid(torch.randn(a.batch)))
        run.learn(structure + dynamics, {"structure": structure, "dynamics": dynamics}, validate)
    found = run.end(validate)
    twin = {"name": about["name"], "weights": generator.weights_hash(a.twin), "height": about["height"], "width": about["width"]}
    trained = {**run.about("twin", "clips", "no_compile"), "clips": len(latents)}
    generator.save(mean, run.folder / "export", twin, statistics, {"training": trained, "measured": {"flow error on held-out scenes": found}})


if __name__ == "__main__":
    main()
