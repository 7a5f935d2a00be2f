"""Warms the text encoder up before the transformer sees it: naming a scene's attributes from its captions, and filling in
masked words. Minutes here save the transformer hours, whose loss says little about words.

    python text_encoder.py --minutes 12
"""

import argparse
import csv
import json
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import data
from networks import VOCABULARY, build_text_encoder, load_tokenizer, tokenize
from optimiser import Muon
from precision import autocast

MASK = VOCABULARY - 1  # a row of the embedding that the tokenizer does not use


class Reader(nn.Module):
    """The text encoder with one attention query and one linear layer per attribute, which are thrown away afterwards."""

    def __init__(self, labels):
        super().__init__()
        self.encoder = build_text_encoder()
        width = self.encoder.config.d_model
        self.queries = nn.Parameter(torch.randn(len(labels), width) * 0.1)
        self.heads = nn.ModuleList(nn.Linear(width, len(values)) for values in labels.values())

    def forward(self, ids, mask):
        states = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state  # [b, n, width]
        scores = (states @ self.queries.T).float() / states.shape[-1] ** 0.5
        weights = scores.masked_fill(mask[..., None] == 0, -1e9).softmax(1).to(states.dtype)
        pooled = torch.einsum("bnq,bnw->bqw", weights, states)
        return states, [head(pooled[:, i]) for i, head in enumerate(self.heads)]


def load_items(versions, training=True):
    """All captions of the rendered scenes: [(static[], dynamic[], attributes)]."""
    items = []
    for version in versions:
        for path in sorted((data.WORLD / version).glob("*.json")):
            for item in json.loads(path.read_text())["items"]:
                if not (training and data.held_out(item["seed"])):
                    items.append((item["static"], item["dynamic"], item["attributes"]))
    return items


def batch(random, tokenizer, items, real, labels, size):
    """Token ids and mask [b, n], targets [b] per attribute (-100: the text does not say)."""
    texts, targets = [], []
    for _ in range(size):
        if random.random() < 0.06:
            texts.append(real[random.integers(len(real))])
            targets.append([-100] * len(labels))
            continue
        static, dynamic, attributes = items[random.integers(len(items))]
        both = random.random() < 0.7
        first = random.integers(len(static))
        texts.append(f"{static[first]} {dynamic[random.integers(len(dynamic))]}" if both else static[first])
        unsaid = () if both else ("motion", "camera", "secondMotion")
        said = lambda name, values: name not in unsaid and attributes.get(name) in values
        targets.append([values.index(attributes[name]) if said(name, values) else -100 for name, values in labels.items()])
    return *tokenize(tokenizer, texts), torch.tensor(targets)


@torch.no_grad()
def measure(reader, tokenizer, items, labels):
    """Share of right names per attribute from the fullest wording."""
    right = np.zeros(len(labels))
    for start in range(0, len(items), 50):
        part = items[start : start + 50]
        ids, mask = tokenize(tokenizer, [f"{static[0]} {dynamic[0]}" for static, dynamic, _ in part])
        with autocast():
            scores = reader(ids, mask)[1]
        for i, (name, values) in enumerate(labels.items()):
            right[i] += sum(values[g] == item[2].get(name) for g, item in zip(scores[i].argmax(1).tolist(), part))
    return {name: round(share, 3) for name, share in zip(labels, right / len(items))}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="v1")
    parser.add_argument("--world", nargs="*", default=["v2"])
    parser.add_argument("--minutes", type=float, default=12)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--adam-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    folder = data.CACHE / f"text-{options.name}"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer()
    items, held_out = load_items(options.world), load_items(["v2-val"], training=False)[:400]
    labels = {name: sorted({item[2][name] for item in items + held_out}) for name in items[0][2]}
    about = json.loads((data.SHARED / "material" / "captions.json").read_text())
    real = [*about["photos"].values(), *(f"{c['static']} {c['dynamic']}" for c in about["clips"].values())]
    reader = Reader(labels)
    optimiser = Muon(reader, options.rate, options.adam_rate, plain=("shared", "embed_tokens", "relative_attention_bias", "queries", "heads"))
    random = np.random.default_rng(options.seed)
    writer = csv.writer(log := open(folder / "log.csv", "a", newline=""))
    started, step, values = time.time(), 0, []
    while (elapsed := time.time() - started) < options.minutes * 60:
        factor = min(1.0, (step + 1) / 50) * min(1.0, (1 - elapsed / options.minutes / 60) / 0.6) + 0.005
        ids, mask, targets = batch(random, tokenizer, items, real, labels, options.batch)
        hidden = (torch.rand(ids.shape) < 0.15) & (mask == 1)
        seen = torch.where(hidden & (torch.rand(ids.shape) < 0.85), MASK, ids)
        with autocast():
            states, scores = reader(seen, mask)
            guesses = states[hidden] @ reader.encoder.shared.weight.T / 16
        naming = sum(F.cross_entropy(s.float(), targets[:, i]) for i, s in enumerate(scores)) / len(labels)
        filling = F.cross_entropy(guesses.float(), ids[hidden])
        (naming + 0.3 * filling).backward()
        optimiser.step(factor)
        values.append((naming.item(), filling.item()))
        step += 1
        if step % 50 == 0:
            means = [round(float(v), 4) for v in np.mean(values, axis=0)]
            values = []
            writer.writerow([step, round(elapsed, 1), *means])
            log.flush()
            print(f"{step} {elapsed / 60:.2f} min  naming {means[0]}  filling in {means[1]}", flush=True)
        if step % 500 == 0:
            print("validation:", measure(reader, tokenizer, held_out, labels), flush=True)
    print("end:", measure(reader, tokenizer, held_out, labels), flush=True)
    torch.save(reader.encoder.state_dict(), folder / "last.pt.new")
    (folder / "last.pt.new").replace(folder / "last.pt")


if __name__ == "__main__":
    main()
