"""Trains the transformer and the text encoder together by flow matching on cached latents. Resumes from its last checkpoint.

    python transformer.py --name v1 --autoencoder v1 --minutes 80 --image-minutes 40

x = (1 - sigma) * x0 + sigma * noise in normalised latents; the target is noise - x0, the timestep 1000 * sigma.
Self-conditioning: half of every batch also sees the x0 that the model itself predicted a moment before from the same x
without it; the other half sees zeros. Pictures (single latent frames) come first, then clips and pictures together.
"""

import argparse
import json

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import WanTransformer3DModel
from transformers import UMT5EncoderModel

import data
from latents import drawn_frames
from networks import build_text_encoder, build_transformer, embed, load_tokenizer, tokenize, widened
from optimiser import Muon, Together
from precision import autocast
from run import Run, add_options

RARE = ("hat", "heldObject", "season", "film")  # each in a quarter of the scenes or fewer
ADAM_ONLY = ("patch_embedding", "proj_out", "time_embedder", "time_proj", "shared", "embed_tokens", "relative_attention_bias", "scale_shift_table")


def attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    """scaled_dot_product_attention in plain products: torch's fused one is four times slower backwards on a processor, at these few tokens."""
    assert dropout_p == 0 and not is_causal and not enable_gqa
    scores = (query * (scale or query.shape[-1] ** -0.5)) @ key.transpose(-1, -2)
    return (scores if attn_mask is None else scores + attn_mask).float().softmax(-1).to(value.dtype) @ value


class LatentSets:
    """All encoded sets of one autoencoder, normalised when picked. Folders named `*-val-*` are for validation alone.
    Where a shard's masks are at hand, they come along: subjects, and their hats and held objects. Scenes with what few
    scenes have (`RARE`) are drawn `rare` times as often as others."""

    def __init__(self, name, validation=False, real_share=0.04, rare=1.0):
        self.folder = data.CACHE / f"latents-{name}"
        self.validation, self.real_share, self.rare, self.sets, self.masks, self.weights = validation, real_share, rare, {}, {}, {}
        self.refresh()

    def refresh(self):
        about = json.loads((self.folder / "statistics.json").read_text())
        self.mean, self.deviation = (np.array(about[key], np.float32).reshape(-1, 1, 1, 1) for key in ("latents_mean", "latents_std"))
        for path in sorted(self.folder.glob("*/captions.json")):
            name = path.parent.name
            if name in self.sets or ("-val-" in name) != self.validation:
                continue
            arrays = {kind: np.load(path.parent / f"{kind}.npy") for kind in ("clips", "frames") if (path.parent / f"{kind}.npy").exists()}
            self.sets[name] = (arrays, json.loads(path.read_text()))
            self.masks[name], weights = None, np.ones(len(self.sets[name][1]))
            if not name.startswith("real"):
                sidecar, about, use = shard_of(name)
                self.masks[name] = masks_of(name, sidecar, about, use)
                weights[[any(about["items"][i]["attributes"].get(key, "none") != "none" for key in RARE) for i in use]] = self.rare
            self.weights[name] = weights / weights.sum(), weights.sum()
        return self

    def __len__(self):
        return sum(len(texts) for _, texts in self.sets.values())

    def batch(self, random, size, clips, frames=5):
        """`size` items of one picture size -> (latents [size, channels, frames, h, w], masks [size, 2, frames, h, w] in 0..1,
        [(static[], dynamic[])]). The autoencoder is causal, so a clip's first latent frames are those of the shorter clip."""
        usable = {name: pair for name, pair in self.sets.items() if not clips or "clips" in pair[0]}
        rendered = sum(self.weights[name][1] for name in usable if not name.startswith("real")) or 1
        real = sum(self.weights[name][1] for name in usable if name.startswith("real")) or 1
        shapes = {}
        for name, (arrays, _) in usable.items():
            share = self.weights[name][1] * (self.real_share / real if name.startswith("real") else (1 - self.real_share) / rendered)
            shapes.setdefault(next(iter(arrays.values())).shape[-2:], []).append((name, share))
        options = list(shapes)
        totals = np.array([sum(share for _, share in shapes[shape]) for shape in options])
        members = shapes[options[random.choice(len(options), p=totals / totals.sum())]]
        shares = np.array([share for _, share in members])
        latents, masks, captions = [], [], []
        for _ in range(size):
            name = members[random.choice(len(members), p=shares / shares.sum())][0]
            arrays, texts = usable[name]
            index = random.choice(len(texts), p=self.weights[name][0])
            if clips:
                x, pick = arrays["clips"][index][:, :frames], None
            elif "clips" in arrays and random.random() < 1 / 3:
                x, pick = arrays["clips"][index][:, :1], None
            else:
                pick = random.integers(arrays["frames"].shape[1])
                x = arrays["frames"][index][pick]
            latents.append((x.astype(np.float32) - self.mean) / self.deviation)
            masks.append(np.zeros((2, *x.shape[1:]), np.float32))
            if self.masks[name]:
                whole, picks = self.masks[name]
                mask = whole[index][:, : x.shape[1]] if pick is None else picks[index][:, pick : pick + 1]
                masks[-1] = mask.astype(np.float32) / 255
            captions.append(texts[index])
        return torch.from_numpy(np.stack(latents)), torch.from_numpy(np.stack(masks)), captions


def shard_of(name):
    """The sidecar of the rendered shard from which a set was encoded: its path, what it says, and the places of the items that are in the set."""
    path = data.WORLD / name.split("-shard-")[0] / ("shard-" + name.split("-shard-")[-1].split("-")[0] + ".json")
    about, training = json.loads(path.read_text()), "-val-" not in name
    return path, about, [i for i, item in enumerate(about["items"]) if not (training and data.held_out(item["seed"]))]


def masks_of(name, sidecar, about, use):
    """Masks of one set's shard, or None without them: of clips [n, 2, 5, h, w] and of the two frames that latents.py
    drew [n, 2, 2, h, w], uint8."""
    path = sidecar.with_suffix(".masks.u8")
    if not path.exists():
        return None
    shape = (len(about["items"]), about["frameCount"], about["height"] // 8, about["width"] // 8, 2)
    frames = np.memmap(path, np.uint8, "r", shape=shape)[use].transpose(0, 4, 1, 2, 3)
    clips = np.stack([frames[:, :, max(0, 4 * i - 3) : 4 * i + 1].max(2) for i in range((about["frameCount"] + 3) // 4)], 2)
    picks = drawn_frames(name, len(use), about["frameCount"])
    return clips, np.stack([clip[:, pair] for clip, pair in zip(frames, picks)])


def prompt(random, caption, clip, drop=0.1, complete=0.0):
    """One wording: mostly both parts for a clip and the static one for a picture; sometimes one part alone, or nothing.
    `complete`: how often the first wording, which names everything, is chosen before any is."""
    static, dynamic = (parts[0 if random.random() < complete else random.integers(len(parts))] if parts else "" for parts in caption)
    chance = random.random()
    if chance < drop:
        return ""
    if clip:
        return dynamic if dynamic and chance > 0.96 else static if chance > 0.88 else f"{static} {dynamic}".strip()
    return f"{static} {dynamic}".strip() if chance > 0.85 else static


@torch.no_grad()
def initialise(transformer):
    """Modulation starts with small open gates and nothing else, the output at zero."""
    for block in transformer.blocks:
        block.scale_shift_table.zero_()
        block.scale_shift_table[:, [2, 5]] = 0.3
        for linear in [block.attn1.to_out[0], block.attn2.to_out[0], block.ffn.net[2]]:
            linear.weight.mul_(0.5)
    transformer.scale_shift_table.zero_()
    transformer.condition_embedder.time_proj.weight.mul_(0.1)
    transformer.condition_embedder.time_proj.bias.zero_()
    transformer.proj_out.weight.zero_()
    transformer.proj_out.bias.zero_()


def start_weights(name):
    if name == "exported":
        load = lambda kind, part: kind.from_pretrained(data.MODEL / part, torch_dtype=torch.float32).state_dict()
        return {"transformer": load(WanTransformer3DModel, "transformer"), "text_encoder": load(UMT5EncoderModel, "text_encoder")}
    state = torch.load(data.CACHE / f"transformer-{name}" / "state.pt", weights_only=False)["mean"]
    return {part: {key.removeprefix(f"{part}."): value for key, value in state.items() if key.startswith(f"{part}.")} for part in ("transformer", "text_encoder")}


def velocity(model, x, previous, sigma, states):
    """x and previous [b, channels, t, h, w], sigma [b] -> velocity, the same shape, float32."""
    with autocast():
        return model["transformer"](torch.cat([x, previous], 1), sigma * 1000, states, return_dict=False)[0].float()


def cell_weights(masks, subject, small):
    """Masks [b, 2, t, h, w] -> weights [b, t, h, w] with the mean 1 per item. The best answer in each cell stays what
    it is, but more of the training goes into what captions are mostly about: a hat is one cell of a hundred."""
    weights = 1 + subject * masks[:, 0] + small * masks[:, 1]
    return weights / weights.mean((1, 2, 3), keepdim=True)


def flow_errors(model, x0, states, sigma, noise):
    """Squared error of the velocity, mean over channels: [b, t, h, w]."""
    s = sigma.view(-1, 1, 1, 1, 1)
    x = (1 - s) * x0 + s * noise
    previous, half = torch.zeros_like(x), len(x) // 2
    with torch.no_grad():
        first = velocity(model, x[:half], previous[:half], sigma[:half], states[:half].detach())
        previous[:half] = x[:half] - s[:half] * first
    return (velocity(model, x, previous, sigma, states) - noise + x0).square().mean(1)


def times(size, clip, generator=None, later=0.0):
    """Logit-normal; later (noisier) for clips, whose neighbouring frames give each other away."""
    return torch.sigmoid(torch.randn(size, generator=generator) * 1.1 + (0.7 if clip else 0.3) + later)


@torch.no_grad()
def validate(model, sets, tokenizer):
    """Mean errors over fixed pictures and clips of held-out seeds, with fixed noise and times: of everything, of
    subjects and of hats and held objects."""
    scores = []
    for clip in (False, True) if any("clips" in arrays for arrays, _ in sets.sets.values()) else (False,):
        random, generator, sums = np.random.default_rng(5), torch.Generator().manual_seed(5), torch.zeros(3, 2)
        for _ in range(3):
            x0, masks, captions = sets.batch(random, 8 if clip else 32, clip)
            with autocast():
                states = embed(model["text_encoder"], *tokenize(tokenizer, [prompt(random, c, clip, drop=0) for c in captions]))
            errors = flow_errors(model, x0, states, times(len(x0), clip, generator), torch.randn(x0.shape, generator=generator))
            for row, weights in enumerate([torch.ones_like(errors), masks[:, 0], masks[:, 1]]):
                sums[row] += torch.stack([(errors * weights).sum(), weights.sum()])
        scores += (sums[:, 0] / sums[:, 1].clamp(min=1e-6)).tolist()
    return scores


class Seen(dict):
    """How many pictures and clips a training has seen."""

    state_dict, load_state_dict = dict.copy, dict.update


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, ema=0.999)
    parser.set_defaults(minutes=80, rate=0.012, fall=0.6, warm_up=1.5)
    parser.add_argument("--autoencoder", default="v1")
    parser.add_argument("--start", help="name of another training whose weights to begin with, or `exported` for those of the model folder; both may be for fewer channels")
    parser.add_argument("--text", help="name of a warmed-up text encoder (text_encoder.py) to begin with")
    parser.add_argument("--real-share", type=float, default=0.04, help="of real pictures and clips in the batches")
    parser.add_argument("--rare", type=float, default=1, help="how many times as often scenes with a hat, a held object, a season or a film are drawn")
    parser.add_argument("--complete", type=float, default=0, help="share of the captions that name everything before a wording is drawn of all")
    parser.add_argument("--image-minutes", type=float, default=40)
    parser.add_argument("--image-share", type=float, default=0.35, help="share of picture steps after that")
    parser.add_argument("--image-batch", type=int, default=64)
    parser.add_argument("--clip-batch", type=int, default=12, help="clips of 17 frames; half as many more when a step takes the first 9 frames only, a third of them")
    parser.add_argument("--text-rate", type=float, default=0.15, help="the text encoder's learning rates as a share of the transformer's; 0 keeps it as it is, which saves an eighth of a step")
    parser.add_argument("--embedding-rate", type=float, help="AdamW's rate for the rows of the words, if another: rows of new words have far to go")
    parser.add_argument("--adam", action="store_true", help="AdamW alone, without Muon, whose step takes as long as ten pictures without native bfloat16")
    parser.add_argument("--later", type=float, default=0, help="how much noisier than usual: light and colour of a whole picture are decided early in sampling")
    parser.add_argument("--subject-weight", type=float, default=2, help="how much more a cell with a subject counts than one without")
    parser.add_argument("--small-weight", type=float, default=5, help="the same for hats and held objects")
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    F.scaled_dot_product_attention = attention
    folder, random = data.CACHE / f"transformer-{options.name}", np.random.default_rng(options.seed)
    tokenizer, sets, held_out = load_tokenizer(), LatentSets(options.autoencoder, real_share=options.real_share, rare=options.rare), LatentSets(options.autoencoder, validation=True)
    channels = len(sets.mean)
    model, averaged = (torch.nn.ModuleDict({"transformer": build_transformer(channels), "text_encoder": build_text_encoder()}) for _ in range(2))
    initialise(model["transformer"])
    if options.start:
        for part, weights in start_weights(options.start).items():
            model[part].load_state_dict(widened(weights, channels) if part == "transformer" else weights)
    if options.text:
        model["text_encoder"].load_state_dict(torch.load(data.CACHE / f"text-{options.text}" / "last.pt"))
    rates = {"shared": options.embedding_rate} if options.embedding_rate else None
    optimiser = Together(
        Muon(model[part], options.rate * scale, options.adam_rate * scale, not options.adam, plain=ADAM_ONLY, rates=rates) for part, scale in {"transformer": 1.0, "text_encoder": options.text_rate}.items()
    )
    seen = Seen(pictures=0, clips=0)
    run = Run(folder, options, model, averaged, optimiser, random, more={"seen": seen})
    if options.compile:
        torch._dynamo.config.recompile_limit = 64
        for block in model["transformer"].blocks:
            block.compile(dynamic=True)

    def found():
        """Losses on held-out scenes; new sets are taken up on the way."""
        sets.refresh()
        scores = [round(score, 4) for score in validate(averaged, held_out, tokenizer)] if len(held_out.refresh()) else []
        rows = ("all", "subjects", "hats and held")
        return {**{kind: dict(zip(rows, scores[i : i + 3])) for kind, i in (("pictures", 0), ("clips", 3)) if scores[i:]}, "seen": dict(seen), "scenes": len(sets)}

    while run.going():
        clip = run.minutes > options.image_minutes and random.random() > options.image_share
        short = clip and random.random() < 1 / 3
        x0, masks, captions = sets.batch(random, options.image_batch if not clip else options.clip_batch * 3 // 2 if short else options.clip_batch, clip, 3 if short else 5)
        ids, mask = tokenize(tokenizer, [prompt(random, caption, clip, complete=options.complete) for caption in captions])
        with autocast(), torch.set_grad_enabled(options.text_rate > 0):
            states = embed(model["text_encoder"], ids, mask)
        errors = flow_errors(model, x0, states, times(len(x0), clip, later=options.later), torch.randn_like(x0))
        kind = "clips" if clip else "pictures"
        seen[kind] += len(x0)
        run.learn((errors * cell_weights(masks, options.subject_weight, options.small_weight)).mean(), {kind: errors.detach().mean()}, found)
    run.end(found)


if __name__ == "__main__":
    main()
