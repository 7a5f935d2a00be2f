"""Model folders against each other, on pictures from the same prompts and noise.

    python compare.py OLD NEW --sheet sheet.png       every look of looks.json, a row for each model
    python compare.py OLD NEW --names first-val       how many of a set's attributes the judge finds in pictures from its captions

The judge is the committed one: what it has no name for is left out.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from safetensors.torch import load_file
from transformers import PreTrainedTokenizerFast, UMT5EncoderModel

import data
import wholesequence
from judge import JUDGE, Judge, look
from precision import autocast
from sample import sample

SHOWN = "a woman in a blue shirt in a park"
PICTURED = ("subject", "shirtColour", "background", "light", "style", "season", "film", "hat", "heldObject")


def load(folder):
    part = lambda kind, name: kind.from_pretrained(folder / name, torch_dtype=torch.float32).eval().requires_grad_(False)
    model = torch.nn.ModuleDict({"transformer": part(WanTransformer3DModel, "transformer"), "text_encoder": part(UMT5EncoderModel, "text_encoder")})
    return model, part(AutoencoderKLWan, "vae"), PreTrainedTokenizerFast.from_pretrained(folder / "tokenizer")


@torch.no_grad()
def draw(loaded, prompts, height=128, width=128, steps=20, same=False, batch=16):
    """A picture for each prompt, the noise of the n-th (or of all, `same`) alike whatever the model: [n, height, width, 3] uint8."""
    model, vae, tokenizer = loaded
    mean, deviation = (torch.tensor(vae.config[key]).view(1, -1, 1, 1, 1) for key in ("latents_mean", "latents_std"))
    pictures = []
    for start in range(0, len(prompts), batch):
        z = sample(model, tokenizer, prompts[start : start + batch], 1, height, width, steps, seed=0 if same else start, same=same)
        with autocast():
            pixels = wholesequence.decode(vae, z * deviation + mean).clamp(-1, 1)
        pictures += [((x + 1) * 127.5).round().byte().permute(1, 2, 3, 0).numpy()[0] for x in pixels.float()]
    return pictures


def prompts_of_looks(shown):
    """{name of a look: a prompt that names it}, the plain photograph first."""
    looks = json.loads((data.REPOSITORY / "main" / "world" / "looks.json").read_text())
    return {
        **{name: f"{shown} {about['phrases'][0]}, photo" for name, about in looks["light"].items()},
        **{name: f"{shown} {phrases[0]}, photo" for name, phrases in looks["season"].items()},
        **{name: f"{about['before'][0]} {shown}" for name, about in looks["style"].items() if name != "photo"},
        **{name: f"{shown}, photo, {about['after'][0]}" for name, about in looks["film"].items()},
    }


def sheet(models, prompts, steps, columns=11):
    drawn = [draw(model, list(prompts.values()), steps=steps, same=True) for model in models]
    side, label = 128, 14
    out = np.full((-(-len(prompts) // columns) * (side * len(models) + label + 4), columns * (side + 4), 3), 255, np.uint8)
    for i, name in enumerate(prompts):
        top, left = i // columns * (side * len(models) + label + 4), i % columns * (side + 4)
        cv2.putText(out, name, (left, top + 11), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (20, 20, 20), 1, cv2.LINE_AA)
        for row, pictures in enumerate(drawn):
            out[top + label + row * side :][:side, left : left + side] = pictures[i]
    return out


@torch.no_grad()
def names(models, world, count, steps):
    """Share of named attributes per model, and of the rendered pictures themselves, with the number of each."""
    labels = json.loads((JUDGE / "config.json").read_text())["labels"]
    judge = Judge(labels).eval()
    judge.load_state_dict({key: value.float() for key, value in load_file(JUDGE / "model.safetensors").items()})
    scores = {name: Counter() for name in ["rendered", *models]}
    asked = Counter()
    for clips, items, use, _ in data.WorldShards(world, training=False).shards:
        use = use[:count]
        prompts = [items[i]["static"][0] for i in use]
        shown = {"rendered": [np.asarray(clips[i][0]) for i in use]}
        for name, model in models.items():
            shown[name] = draw(model, prompts, *clips.shape[2:4], steps)
        for name, pictures in shown.items():
            video = judge.video(judge.frames(look(data.to_batch([picture[None] for picture in pictures]))))
            for attribute in PICTURED:
                guesses = judge.heads[attribute](video).argmax(1).tolist()
                for guess, i in zip(guesses, use):
                    truth = items[i]["attributes"][attribute]
                    if truth in labels[attribute] and truth != "none":
                        scores[name][attribute] += labels[attribute][guess] == truth
                        asked[attribute] += name == "rendered"
    total = sum(asked.values())
    return {name: {**{a: round(n[a] / asked[a], 3) for a in PICTURED if asked[a]}, "all": round(sum(n.values()) / total, 3)} for name, n in scores.items()}, dict(asked)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--sheet", help="where to draw it")
    parser.add_argument("--shown", default=SHOWN)
    parser.add_argument("--looks", nargs="*", help="some of the looks' names; all otherwise")
    parser.add_argument("--names", help="a rendered set of held-out seeds")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--count", type=int, default=48, help="of pictures from each shard")
    options = parser.parse_args()
    torch.set_num_threads(1)
    models = {str(folder): load(folder) for folder in options.models}
    if options.sheet:
        prompts = {name: prompt for name, prompt in prompts_of_looks(options.shown).items() if name in (options.looks or [name])}
        cv2.imwrite(options.sheet, sheet(models.values(), prompts, options.steps)[..., ::-1])
    if options.names:
        print(*names(models, options.names, options.count, options.steps), sep="\n")


if __name__ == "__main__":
    main()
