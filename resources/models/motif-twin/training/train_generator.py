"""Trains what makes a twin's latents from words, by flow matching, on one core of a processor; goes on where it was stopped.

    python train_generator.py --twin FOLDER --name v1 --world c --minutes 240

FOLDER is a trained twin. Rendered clips are encoded by it once (a part of a shard at a time, kept in the training cache); their captions are read by
motif-tiny's text encoder. What comes out, generator/NAME/export in the cache, belongs into FOLDER/generator.
"""

import argparse
import csv
import json
import math
import signal
import sys
import time
from pathlib import Path

import numpy as np
import torch
from transformers import UMT5EncoderModel

sys.path.insert(1, str(Path(__file__).resolve().parents[2] / "motif-tiny/training"))

import data  # noqa: E402
import generator  # noqa: E402
import vidtwin  # noqa: E402
from networks import embed, load_tokenizer, tokenize  # noqa: E402
from optimiser import Muon  # noqa: E402
from precision import autocast  # noqa: E402

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
                kept = cache / f"{path.parent.name}-{path.stem}-{'train' if training else 'held-out'}-{start}.npz"
                part = use[start : start + PART]
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
                z_s, z_d = twin.encode(data.to_batch([frames[i][: c.frames]]))
            structure.append(generator.structure_tokens(z_s.float())[0].half().numpy())
            dynamics.append(generator.dynamics_tokens(z_d.float())[0].half().numpy())
        partial = kept.with_suffix(".partial")
        with open(partial, "wb") as file:
            np.savez(file, structure=np.stack(structure), dynamics=np.stack(dynamics), grid=np.array(z_s.shape[-2:]))
        partial.replace(kept)

    def __len__(self):
        return sum(len(captions) for group in self.groups.values() for *_, captions in group)

    def statistics(self):
        found = {}
        for name, index in (("structure", 0), ("dynamics", 1)):
            values = np.concatenate([part[index].reshape(-1, part[index].shape[-1]) for group in self.groups.values() for part in group]).astype(np.float64)
            found[f"{name}_mean"], found[f"{name}_std"] = values.mean(0).tolist(), np.maximum(values.std(0), 1e-3).tolist()
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
    p.add_argument("--twin", required=True, help="folder of a trained twin")
    p.add_argument("--name", default="v1")
    p.add_argument("--world", nargs="*", default=["v2"])
    p.add_argument("--validation", nargs="*", default=["v2-val"], help="rendered clips that are measured and never trained on")
    p.add_argument("--clips", type=int, default=100_000, help="so many clips at most")
    p.add_argument("--minutes", type=float, default=120, help="of training, all its runs together; encoding not counted")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--rate", type=float, default=1e-2, help="Muon's; AdamW's is --adam-rate")
    p.add_argument("--adam-rate", type=float, default=2e-3)
    p.add_argument("--warm-up", type=float, default=3, help="minutes")
    p.add_argument("--fall", type=float, default=0.3, help="share of the time over which the rate falls to nothing")
    p.add_argument("--ema", type=float, default=0.999)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--save-every", type=float, default=4, help="minutes")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(a.seed)
    random = np.random.default_rng(a.seed)
    folder = CACHE / a.name
    folder.mkdir(parents=True, exist_ok=True)

    about = json.loads((Path(a.twin) / "config.json").read_text())
    assert about["disentangle"] and about["average_dynamics"] and about["move_space"], "it makes the latents of a whole twin, not of an ablation"
    assert about["structure_halvings"] == about["dynamics_halvings"], "its lines are those of the structure's places"
    latents, held_out = Latents(a.twin, a.world, True, a.clips), Latents(a.twin, a.validation, False, min(a.clips, 200))
    statistics = latents.statistics()
    centre = {k: torch.tensor(v) for k, v in statistics.items()}
    config = generator.Config(queries=about["queries"], structure_dim=about["structure_dim"], frames=about["frames"], dynamics_dim=about["dynamics_dim"])
    model, mean = generator.TwinGenerator(config), generator.TwinGenerator(config).eval()
    mean.load_state_dict(model.state_dict())
    optimiser = Muon(model, a.rate, a.adam_rate, plain=["table", "kinds", "structure_in", "dynamics_in", "structure_out", "dynamics_out", "time_", "text_in"])
    reader, tokenizer = UMT5EncoderModel.from_pretrained(data.MODEL / "text_encoder", dtype=torch.float32).eval().requires_grad_(False), load_tokenizer()
    step, minutes, state_file = 0, 0.0, folder / "state.pt"
    if state_file.exists():
        state = torch.load(state_file, weights_only=False)
        model.load_state_dict(state["model"]), mean.load_state_dict(state["mean"]), optimiser.load_state_dict(state["optimiser"])
        step, minutes = state["step"], state["minutes"]
        random.bit_generator.state = state["random"]
        torch.set_rng_state(state["torch"])
        print(f"goes on at step {step}, minute {minutes:.1f}", flush=True)

    def save():
        state = {"model": model.state_dict(), "mean": mean.state_dict(), "optimiser": optimiser.state_dict(), "step": step, "minutes": minutes,
                 "random": random.bit_generator.state, "torch": torch.get_rng_state()}
        partial = state_file.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(state_file)

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

    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
    signal.signal(signal.SIGINT, lambda *_: stopping.append(1))
    log = csv.writer(open(folder / "log.csv", "a", newline=""))
    print(f"{generator.parameters(model)} parameters, {len(latents)} clips, {len(held_out)} held out", flush=True)
    sums, counted, last_save = np.zeros(2), 0, minutes
    while minutes < a.minutes and not stopping:
        began = time.time()
        progress = minutes / a.minutes
        factor = min(1.0, (minutes + 0.05) / a.warm_up) * min(1.0, (1 - progress) / a.fall)
        parts = errors(model, latents, random, a.batch, torch.sigmoid(torch.randn(a.batch)))
        sum(parts).backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if math.isfinite(norm.item()):
            optimiser.step(factor)
        else:
            model.zero_grad(set_to_none=True)
        step += 1
        with torch.no_grad():
            decay = min(a.ema, (step + 1) / (step + 10))
            for slow, fast in zip(mean.parameters(), model.parameters()):
                slow.lerp_(fast, 1 - decay)
        sums, counted = sums + [part.item() for part in parts], counted + 1
        minutes += min(time.time() - began, 20) / 60  # a paused machine is no training
        if counted == 100:
            print(f"{minutes:7.2f} min, step {step}, structure {sums[0] / 100:.4f}, dynamics {sums[1] / 100:.4f}", flush=True)
            sums, counted = np.zeros(2), 0
        if minutes - last_save > a.save_every:
            save()
            last_save = minutes
            found = validate()
            print(f"{minutes:7.2f} min, step {step}: {found}", flush=True)
            log.writerow([round(minutes, 2), step, json.dumps(found)])
    save()
    found = validate()
    print(f"end at {minutes:.2f} min, step {step}: {found}", flush=True)
    twin = {"name": about["name"], "weights": generator.weights_hash(a.twin), "height": about["height"], "width": about["width"]}
    trained = {"minutes": round(minutes, 1), "steps": step, "clips": len(latents), "batch": a.batch, "rate": a.rate, "seed": a.seed}
    generator.save(mean, folder / "export", twin, statistics, {"training": trained, "measured": {"flow error on held-out scenes": found}})


if __name__ == "__main__":
    main()
