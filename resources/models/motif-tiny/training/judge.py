"""Trains the judge: a dual video and text encoder that names what a rendered clip shows. Resumes from its last checkpoint.

    python judge.py --minutes 20          trains on .cache/world/v2, and on the pictures of .cache/world/p1 where there are some
    python judge.py --export              measures it on v2-val and writes ../../motif-judge/ (`--mean-with NAME`: the mean of its weights and another training's)

It is trained apart from the model that it judges: on pixels, never on latents. Its forward is kept plain, because the
application has it a second time in TypeScript; ../../motif-judge/README.md describes it in words. What a picture shows without
moving (hats, things held, who it is) is learned best from many scenes: a picture, a clip of one frame, costs a ninth of a clip.
"""

import argparse
import csv
import json
import math
import re
import signal
import time
from collections import Counter

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

import data
from networks import TEXT_TOKENS, VOCABULARY
from optimiser import Muon
from precision import autocast

JUDGE = data.REPOSITORY / "resources" / "models" / "motif-judge"
WIDTH, HEADS, EMBEDDING = 192, 3, 128
FRAMES = list(range(0, 17, 2))  # the frames that are looked at, each with its difference to the one before
MOVING = ("motion", "camera")  # no picture shows these
LOOKS = ("light", "season", "style", "film")
MOSTLY_NONE = ("heldObject", "hat")  # without a hint it is long content to see none anywhere: such pictures come thrice as often
STAGES = [  # of what sees a frame: a convolution with stride, then residual ones
    {"channels": 32, "stride": 1, "residuals": 0},
    {"channels": 64, "stride": 2, "residuals": 2},
    {"channels": 128, "stride": 2, "residuals": 2},
    {"channels": WIDTH, "stride": 2, "residuals": 1},
]


def vocabulary():
    """The world's names of attributes, in its own order."""
    source = (data.REPOSITORY / "main" / "world" / "vocabulary.ts").read_text()

    def names(constant):
        body = re.search(rf"export const {constant} = \[(.*?)\] as const", source, re.S).group(1)
        values = []
        for spread, quoted in re.findall(r"\.\.\.(\w+)|'([^']*)'", body):
            values += names(spread) if spread else [quoted]
        return values

    return {
        "subject": names("subjectKinds"),
        "shirtColour": ["none", *names("colourNames")],
        "background": names("backgroundKinds"),
        "light": names("lightKinds"),
        "style": names("styleKinds"),
        "season": names("seasonKinds"),
        "film": names("filmKinds"),
        "motion": names("motionKinds"),
        "camera": names("cameraKinds"),
        "heldObject": names("heldKinds"),
        "hat": names("hatKinds"),
    }


class Block(nn.Module):
    """Pre-norm attention over all tokens and a feed-forward of four times the width with exact GELU."""

    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x, mask=None):
        """x [b, n, width], mask [b, n] of the tokens that may be attended to."""
        b, n, _ = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, n, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        y = attention(q, k, v, None if mask is None else mask[:, None, None].bool())
        x = x + self.out(y.transpose(1, 2).reshape(b, n, WIDTH))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Convolution(nn.Module):
    """3 x 3 convolution, layer norm over the channels, exact GELU."""

    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(inside, outside, 3, stride=stride, padding=1), nn.LayerNorm(outside)

    def forward(self, x):
        return F.gelu(self.norm(self.conv(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)


class Stage(nn.Module):
    """A convolution that changes size and channels, then residual ones."""

    def __init__(self, inside, channels, stride, residuals):
        super().__init__()
        self.into = Convolution(inside, channels, stride)
        self.residuals = nn.ModuleList(Convolution(channels, channels, 1) for _ in range(residuals))

    def forward(self, x):
        x = self.into(x)
        for residual in self.residuals:
            x = x + residual(x)
        return x


class Judge(nn.Module):
    def __init__(self, labels):
        super().__init__()
        sizes = [17, *(stage["channels"] for stage in STAGES)]  # 2 x 2 pixels of three colours, three differences, x, y
        self.stages = nn.ModuleList(Stage(inside, **stage) for inside, stage in zip(sizes, STAGES))
        self.space = nn.ModuleList(Block() for _ in range(1))
        self.frame_pool = nn.Linear(2 * WIDTH, WIDTH)
        self.frame_norm = nn.LayerNorm(WIDTH)
        self.frame_embedding = nn.Linear(WIDTH, EMBEDDING)
        self.time_position = nn.Parameter(torch.randn(len(FRAMES), WIDTH) * 0.1)
        self.time = nn.ModuleList(Block() for _ in range(2))
        self.video_pool = nn.Linear(2 * WIDTH, WIDTH)
        self.video_norm = nn.LayerNorm(WIDTH)
        self.video_embedding = nn.Linear(WIDTH, EMBEDDING)
        self.heads = nn.ModuleDict({name: nn.Linear(WIDTH, len(values)) for name, values in labels.items()})
        self.tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.text_position = nn.Parameter(torch.randn(TEXT_TOKENS, WIDTH) * 0.1)
        self.text = nn.ModuleList(Block() for _ in range(2))
        self.text_norm = nn.LayerNorm(WIDTH)
        self.text_embedding = nn.Linear(WIDTH, EMBEDDING)
        self.log_scale = nn.Parameter(torch.tensor(2.5))
        nn.init.normal_(self.tokens.weight, std=0.5)

    def frames(self, x):
        """x [b, 9, 17, h / 2, w / 2] -> a vector per frame [b, 9, width]."""
        b, n = x.shape[:2]
        x = x.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            x = stage(x)
        x = x.flatten(2).transpose(1, 2)  # [b * 9, h * w / 256, width]
        for block in self.space:
            x = block(x)
        return self.frame_norm(self.frame_pool(torch.cat([x.mean(1), x.amax(1)], -1))).view(b, n, WIDTH)

    def video(self, frames, start=0):
        """Frame vectors [b, n, width] of the clip's frames from `start` -> one vector of the clip [b, width]."""
        x = frames + self.time_position[start : start + frames.shape[1]]
        for block in self.time:
            x = block(x)
        return self.video_norm(self.video_pool(torch.cat([x.mean(1), x.amax(1)], -1)))

    def read(self, ids, mask):
        """Token ids and mask [b, n] -> unit vectors [b, embedding]."""
        x = self.tokens(ids) + self.text_position[: ids.shape[1]]
        for block in self.text:
            x = block(x, mask)
        weights = mask[..., None].to(x.dtype)
        x = (x * weights).sum(1) / weights.sum(1)
        return F.normalize(self.text_embedding(self.text_norm(x)).float(), dim=-1)


def attention(query, key, value, attn_mask=None):
    """scaled_dot_product_attention in plain products, which is faster backwards on a processor."""
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    return (scores if attn_mask is None else scores.masked_fill(~attn_mask, -1e4)).float().softmax(-1).to(value.dtype) @ value


def look(clips):
    """Pixels [b, 3, 17, h, w] in -1..1 -> the judge's input [b, 9, 17, h / 2, w / 2]: 2 x 2 pixels become channels
    (red of the four, green, blue), then what their means changed since the frame before, x and y. One frame alone gives one."""
    b, _, t, h, w = clips.shape
    frames = [f for f in FRAMES if f < t]
    n, h, w = len(frames), h // 2, w // 2
    colours = F.pixel_unshuffle(clips[:, :, frames].transpose(1, 2), 2)
    before = F.avg_pool3d(clips[:, :, [max(0, f - 1) for f in frames]], (1, 2, 2)).transpose(1, 2)
    change = colours.view(b, n, 3, 4, h, w).mean(3) - before
    ys = (torch.arange(h) * 2 + 1) / h - 1
    xs = (torch.arange(w) * 2 + 1) / w - 1
    place = torch.stack([xs.expand(h, w), ys[:, None].expand(h, w)]).expand(b, n, 2, h, w)
    return torch.cat([colours, change, place], 2)


def same_size(world, random, size):
    """Clips of one picture size, from one shard, with their items."""
    counts = np.array([len(use) for _, _, use, _ in world.shards], float)
    clips, items, use, _ = world.shards[random.choice(len(counts), p=counts / counts.sum())]
    weights = np.array([3.0 if any(items[i]["attributes"][name] != "none" for name in MOSTLY_NONE) else 1.0 for i in use])
    picks = [use[i] for i in random.choice(len(use), min(size, len(use)), replace=False, p=weights / weights.sum())]
    return [np.array(clips[i]) for i in picks], [items[i] for i in picks]


def pictures(world, random, size):
    """Single frames of as many scenes of one picture size, with their items."""
    clips, items = same_size(world, random, size)
    frames = random.integers(clips[0].shape[0], size=len(clips))
    return [clip[f : f + 1] for clip, f in zip(clips, frames)], items


def disturb(random, clip, attributes):
    """Small changes that keep every label true; mirroring swaps the direction of a pan. uint8 [t, h, w, 3] -> [3, t, h, w] in -1..1."""
    attributes = dict(attributes)
    if random.random() < 0.5:
        clip = clip[:, :, ::-1]
        swap = {"pan left": "pan right", "pan right": "pan left"}
        attributes["camera"] = swap.get(attributes["camera"], attributes["camera"])
        attributes["mirrored"] = True
    if random.random() < 0.5:  # moved by up to a twelfth of the picture
        down, right = (random.integers(-side // 12, side // 12 + 1) for side in clip.shape[1:3])
        margins = ((0, 0), (max(down, 0), max(-down, 0)), (max(right, 0), max(-right, 0)), (0, 0))
        clip = np.pad(clip, margins, "edge")[:, max(-down, 0) :, max(-right, 0) :][:, : clip.shape[1], : clip.shape[2]]
    x = torch.from_numpy(np.ascontiguousarray(clip)).permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format)
    x.mul_(random.uniform(0.9, 1.1) / 127.5).add_(random.uniform(-0.06, 0.06) - 1)
    if random.random() < 0.3:
        x.add_(torch.randn(x.shape), alpha=random.uniform(0, 0.05))
    if random.random() < 0.4:  # what an autoencoder does to a picture
        h, w = x.shape[2:]
        factor = random.uniform(1.3, 2.2)
        x = F.interpolate(F.interpolate(x, size=(int(h / factor), int(w / factor)), mode="area"), size=(h, w), mode="bilinear")
    return x.clamp_(-1, 1).transpose(0, 1), attributes


def words(random, item, mirrored, still):
    static, dynamic = (item[part][random.integers(len(item[part]))] for part in ("static", "dynamic"))
    text = static if still or random.random() < 0.2 else f"{static} {dynamic}"
    if mirrored:
        text = re.sub(r"\b(left|right)\b", lambda m: "right" if m.group() == "left" else "left", text)
    return text


def grown(judge, labels):
    """The committed weights, with the rows of labels that the committed judge did not know at zero, and unlikely."""
    weights, known = load_file(JUDGE / "model.safetensors"), json.loads((JUDGE / "config.json").read_text())["labels"]
    for name, values in labels.items():
        weight, bias = torch.zeros(len(values), WIDTH), torch.full((len(values),), -4.0)
        rows = [values.index(value) for value in known.get(name, [])]
        if rows:
            weight[rows], bias[rows] = weights[f"heads.{name}.weight"].float(), weights[f"heads.{name}.bias"].float()
        weights[f"heads.{name}.weight"], weights[f"heads.{name}.bias"] = weight, bias
    judge.load_state_dict(weights)


def tokenizer():
    loaded = Tokenizer.from_file(str(data.MODEL / "tokenizer" / "tokenizer.json"))
    loaded.enable_truncation(TEXT_TOKENS)
    loaded.enable_padding(pad_id=0, pad_token="<pad>")
    return loaded


def contrast(a, b, scale):
    """Symmetric InfoNCE between rows that belong together."""
    logits = a @ b.T * scale
    target = torch.arange(len(a))
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def losses(judge, labels, x, ids, mask, attributes, start=0):
    """-> cross-entropy of the names, contrast of clips and texts, and of first and last frames (0 for pictures)."""
    with autocast():
        frames = judge.frames(look(x))
        video = judge.video(frames, start)
        text = judge.read(ids, mask)
        frame_vectors = F.normalize(judge.frame_embedding(frames).float(), dim=-1)
        video_vector = F.normalize(judge.video_embedding(video).float(), dim=-1)
        scores = {name: head(video).float() for name, head in judge.heads.items()}
    still = frames.shape[1] == 1
    scale = judge.log_scale.exp().clamp(max=60)
    naming = 0.0
    for name, values in labels.items():
        if still and name in MOVING:
            continue
        target = torch.tensor([values.index(a[name]) if a.get(name) in values else -100 for a in attributes])
        if (target >= 0).any():
            rare = torch.tensor([0.7 if value == "none" and name in MOSTLY_NONE else 1.0 for value in values])
            naming = naming + F.cross_entropy(scores[name], target, rare, label_smoothing=0.02)
    early, late = frame_vectors[:, 0], frame_vectors[:, -1]
    return naming, contrast(video_vector, text, scale), 0 * scale if still else contrast(early, late, scale)


@torch.no_grad()
def measure(judge, labels, world, limit=400, batch=10):
    """On clips that it was not trained on: share of right names per attribute, per look ([right, of]), and of texts found among ten."""
    judge.eval()
    encode, right, count, named, found, seen = tokenizer(), Counter(), Counter(), {}, 0, 0
    for clips, items, use, _ in world.shards:
        for start in range(0, min(len(use), max(batch, limit // len(world.shards))), batch):
            picks = use[start : start + batch]
            x = data.to_batch([clips[i] for i in picks])
            encoded = encode.encode_batch([f"{items[i]['static'][0]} {items[i]['dynamic'][0]}" for i in picks])
            ids, mask = torch.tensor([e.ids for e in encoded]), torch.tensor([e.attention_mask for e in encoded])
            with autocast():
                video = judge.video(judge.frames(look(x)))
                vectors = F.normalize(judge.video_embedding(video).float(), dim=-1)
                found += (vectors @ judge.read(ids, mask).T).argmax(1).eq(torch.arange(len(picks))).sum().item()
                seen += len(picks)
                for name, values in labels.items():
                    guess = judge.heads[name](video).argmax(1).tolist()
                    for g, i in zip(guess, picks):
                        truth = items[i]["attributes"].get(name)
                        if truth in values:
                            count[name] += 1
                            right[name] += values[g] == truth
                        if truth in values and truth != "none" and name in LOOKS:
                            look_named = named.setdefault(name, {value: [0, 0] for value in values if value != "none"})[truth]
                            look_named[0], look_named[1] = look_named[0] + (values[g] == truth), look_named[1] + 1
                        if truth in values and truth != "none" and name in MOSTLY_NONE:
                            count[f"{name}, where there is one"] += 1
                            right[f"{name}, where there is one"] += values[g] == truth
    judge.train()
    return {n: round(right[n] / count[n], 4) for n in count}, named, round(found / max(1, seen), 4), seen


def export(judge, labels, minutes, steps):
    folder = JUDGE
    folder.mkdir(parents=True, exist_ok=True)
    accuracy, looks, found, seen = measure(judge, labels, data.WorldShards("v2-val", training=False), limit=2000)
    config = {
        "version": 3,
        "frames": FRAMES,
        "stages": STAGES,
        "width": WIDTH,
        "heads": HEADS,
        "spaceBlocks": 1,
        "timeBlocks": 2,
        "textBlocks": 2,
        "embedding": EMBEDDING,
        "maxTextTokens": TEXT_TOKENS,
        "layerNormEpsilon": 1e-5,
        "tokenizer": "../motif-tiny/tokenizer/tokenizer.json",
        "labels": labels,
        "measured": {"clips": seen, "accuracy": accuracy, "looks": looks, "textFoundAmongTen": found, "trainingMinutes": round(minutes, 1), "steps": steps},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file({key: value.half().contiguous() for key, value in judge.state_dict().items()}, folder / "model.safetensors")
    (folder / "model.safetensors").chmod(0o644)
    print(json.dumps(config["measured"], indent=1), f"{(folder / 'model.safetensors').stat().st_size / 1e6:.1f} MB")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--name", default="v1")
    parser.add_argument("--start", choices=["exported"], help="begin with the weights of the committed judge")
    parser.add_argument("--world", nargs="*", default=["v2"])
    parser.add_argument("--pictures", nargs="*", default=["p1"])
    parser.add_argument("--picture-share", type=float, default=0.6, help="share of the steps, where there are pictures")
    parser.add_argument("--picture-batch", type=int, default=160)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--batch", type=int, default=24)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--adam-rate", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--export", action="store_true")
    parser.add_argument("--mean-with", help="exported is the mean of this training's weights and those of another that went on from them")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    labels = vocabulary()
    folder = data.CACHE / f"judge-{options.name}"
    folder.mkdir(parents=True, exist_ok=True)
    judge, averaged = Judge(labels), Judge(labels)
    averaged.load_state_dict(judge.state_dict())
    optimiser = Muon(judge, options.rate, options.adam_rate, plain=("heads", "tokens", "position", "stages.0", "embedding"), weight_decay=0.1)
    step, elapsed = 0, 0.0
    if options.start:
        grown(judge, labels)
        averaged.load_state_dict(judge.state_dict())
    if (folder / "last.pt").exists():
        saved = torch.load(folder / "last.pt", weights_only=False)
        judge.load_state_dict(saved["model"])
        averaged.load_state_dict(saved["averaged"])
        optimiser.load_state_dict(saved["optimiser"])
        step, elapsed = saved["step"], saved["elapsed"]
    if options.export:
        if options.mean_with:
            other = torch.load(data.CACHE / f"judge-{options.mean_with}" / "last.pt", weights_only=False)
            averaged.load_state_dict({key: (value + other["averaged"][key]) / 2 for key, value in averaged.state_dict().items()})
            step, elapsed = step + other["step"], elapsed + other["elapsed"]
        export(averaged, labels, elapsed / 60, step)
        return
    random = np.random.default_rng([options.seed, step])
    world, singles = data.WorldShards(*options.world), data.WorldShards(*options.pictures)
    val, encode = data.WorldShards("v2-val", training=False), tokenizer()
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))

    def save():
        torch.save({"model": judge.state_dict(), "averaged": averaged.state_dict(), "optimiser": optimiser.state_dict(), "step": step, "elapsed": elapsed}, folder / "last.pt.new")
        (folder / "last.pt.new").replace(folder / "last.pt")

    log = open(folder / "log.csv", "a", newline="")
    writer, last, since, values, stills = csv.writer(log), time.time(), 0.0, [], []
    while elapsed < options.minutes * 60 and not stopping:
        progress = elapsed / (options.minutes * 60)
        factor = min(1.0, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * progress)) + 0.005
        still = len(singles) > 0 and random.random() < options.picture_share
        clips, items = pictures(singles, random, options.picture_batch) if still else same_size(world, random, options.batch)
        pairs = [disturb(random, clip, item["attributes"]) for clip, item in zip(clips, items)]
        texts = encode.encode_batch([words(random, item, "mirrored" in a, still) for item, (_, a) in zip(items, pairs)])
        ids, mask = torch.tensor([t.ids for t in texts]), torch.tensor([t.attention_mask for t in texts])
        start = int(random.integers(len(FRAMES))) if still else 0
        naming, matching, identity = losses(judge, labels, torch.stack([c for c, _ in pairs]), ids, mask, [a for _, a in pairs], start)
        (naming + 0.5 * matching + 0.2 * identity).backward()
        optimiser.step(factor)
        with torch.no_grad():
            keep = min(0.998, (step + 1) / (step + 10))
            for slow, fast in zip(averaged.parameters(), judge.parameters()):
                slow.lerp_(fast, 1 - keep)
        if not still:
            values.append((naming.item() / len(labels), matching.item(), identity.item()))
        else:
            stills.append(naming.item() / (len(labels) - len(MOVING)))
        step += 1
        now = time.time()
        elapsed, since, last = elapsed + now - last, since + now - last, now
        if step % 25 == 0:
            means = [round(float(v), 4) for v in [*np.mean(values, axis=0), np.mean(stills or [np.nan])]]
            values, stills = [], []
            writer.writerow([step, round(elapsed, 1), *means])
            log.flush()
            print(f"{step} {elapsed / 60:.2f} min  naming {means[0]}  text {means[1]}  identity {means[2]}  pictures' naming {means[3]}", flush=True)
        if since > 240:
            since = 0.0
            save()
            world.refresh()
            singles.refresh()
            if len(val.refresh()):
                accuracy, _, found, _ = measure(averaged, labels, val, limit=120)
                print("validation:", accuracy, found, flush=True)
            last = time.time()
    save()


if __name__ == "__main__":
    main()
