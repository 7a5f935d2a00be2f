"""Encodes every rendered clip and the captioned real material once per autoencoder, for the transformer.

    python latents.py --autoencoder v1 [--world v2] [--watch]

Writes .cache/training/latents-NAME/: per shard `clips.npy` [n, channels, 5, h, w] and `frames.npy` [n, 2, channels, 1, h, w] (two
single frames a clip, or all of one that has few, encoded as pictures), float16, not normalised, with the captions; and statistics.json with
`latents_mean` and `latents_std` of everything, which the export writes into the autoencoder's config.
The first latent frame of a clip is that frame encoded as a picture, since the autoencoder is causal.
"""

import argparse
import json
import time

import numpy as np
import torch

import data
import wholesequence
import looks
from autoencoder import load
from precision import autocast


@torch.no_grad()
def encode(vae, clips):
    """uint8 clips [n, t, h, w, 3] -> posterior means [n, channels, 1 + (t - 1) / 4, h / 8, w / 8] float16."""
    with autocast():
        mean, _ = wholesequence.encode(vae, data.to_batch(clips), wholesequence.encoder_detail(vae))
    return mean.half().numpy()


def drawn_frames(name, clips, frame_count):
    """Which two frames of each clip of a set are encoded alone: the same whenever it is asked. All of those that have few."""
    if frame_count <= 4:
        return [np.arange(frame_count)] * clips
    random = np.random.default_rng(clips + sum(name.encode()))
    return [random.choice(np.arange(4, frame_count), 2, replace=False) for _ in range(clips)]


def encode_set(vae, folder, clips, texts, batch=4, pictures_only=False):
    """Writes one set of clips with their captions [(static[], dynamic[])]; or two frames of each alone."""
    folder.mkdir(parents=True, exist_ok=True)
    whole, frames = [], []
    drawn = drawn_frames(folder.name, len(texts), len(clips(0, 1)[0]))
    for start in range(0, len(texts), batch):
        part = [np.asarray(clip) for clip in clips(start, min(start + batch, len(texts)))]
        if not pictures_only:
            whole.append(encode(vae, part))
        single = encode(vae, [clip[[i]] for clip, pair in zip(part, drawn[start:]) for i in pair])
        frames.append(single.reshape(len(part), -1, *single.shape[1:]))
    np.save(folder / "frames.npy", np.concatenate(frames))
    if not pictures_only:
        np.save(folder / "clips.npy", np.concatenate(whole))
    (folder / "captions.json").write_text(json.dumps(texts))


def encode_real(vae, folder, looked, pictures_only):
    """The captioned clips (several windows each, all sizes) and photographs, as sets of one size each: as they are, half of the
    wordings calling them photos; or, `looked`, each in drawn looks, with the words for them."""
    real = data.RealMaterial()
    name = "real-looks" if looked else "real"

    def with_looks(clip, caption):
        if not looked:
            return clip, [caption, looks.say(random, caption, {"light": None, "style": "photo", "film": None})]
        chosen = looks.draw(random, caption)
        return looks.apply(random, clip, chosen), [looks.say(random, caption, chosen) for _ in range(3)]

    for height, width in data.SIZES:
        random = np.random.default_rng([looked, height])
        clips, texts = [], []
        target = folder / f"{name}-clips-{width}x{height}"
        for file, about in real.captions["clips"].items() if not (pictures_only or (target / "captions.json").exists()) else ():
            clip = real.clips[file]
            for _ in range(6 if (height, width) == data.SIZES[0] else 3):
                stride = 2 if len(clip) > 33 else 1
                if len(clip) < 16 * stride + 1:
                    continue
                start = random.integers(len(clip) - 16 * stride)
                cut = data.fit(np.asarray(clip[start : start + 16 * stride + 1 : stride]), round(height * 1.15), round(width * 1.15))
                top, left = random.integers(cut.shape[1] - height + 1), random.integers(cut.shape[2] - width + 1)
                shown, statics = with_looks(cut[:, top : top + height, left : left + width], about["static"])
                clips.append(shown)
                texts.append([statics, [about["dynamic"]]])
        if clips:
            encode_set(vae, target, lambda a, b, c=clips: c[a:b], texts)
        target = folder / f"{name}-photos-{width}x{height}"
        if (target / "captions.json").exists():
            continue
        photos, texts = [], []
        for file, caption in real.captions["photos"].items():
            for _ in range(2 if (height, width) == data.SIZES[0] else 1):
                cut = data.fit(real.photos[file][None], round(height * 1.2), round(width * 1.2))[0]
                top, left = random.integers(cut.shape[0] - height + 1), random.integers(cut.shape[1] - width + 1)
                cut = cut[top : top + height, left : left + width]
                cut = cut[:, ::-1] if random.random() < 0.5 and len(photos) % 2 else cut
                shown, statics = with_looks(cut[None], caption)
                photos.append(shown)
                texts.append([statics, []])
        latents = np.concatenate([encode(vae, photos[i : i + 16]) for i in range(0, len(photos), 16)])
        target.mkdir(parents=True, exist_ok=True)
        np.save(target / "frames.npy", latents[:, None])
        (target / "captions.json").write_text(json.dumps(texts))


def statistics(folder):
    """Mean and standard deviation per channel over all sets, equal weight for every value."""
    total, squares, count = 0, 0, 0
    for path in sorted([*folder.glob("*/clips.npy"), *folder.glob("*/frames.npy")]):
        x = np.load(path, mmap_mode="r")[::3].astype(np.float64)
        x = x.reshape(-1, *x.shape[-4:])  # [n, channels, frames, h, w]
        total, squares, count = total + x.sum((0, 2, 3, 4)), squares + (x**2).sum((0, 2, 3, 4)), count + x[:, 0].size
    mean = total / count
    deviation = np.sqrt(squares / count - mean**2)
    (folder / "statistics.json").write_text(json.dumps({"latents_mean": mean.tolist(), "latents_std": deviation.tolist()}, indent=1))
    return mean, deviation


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--autoencoder", default="v1")
    parser.add_argument("--world", nargs="*", default=["v2"])
    parser.add_argument("--watch", action="store_true", help="keep waiting for new shards")
    parser.add_argument("--pictures-only", action="store_true", help="two single frames of each clip, and photographs: a tenth of the time")
    parser.add_argument("--statistics", action="store_true", help="compute the statistics anew; not once a transformer has begun to train on them")
    parser.add_argument("--shards", type=int, default=10**9, help="at most")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.compile:
        wholesequence.compile_activations()
    vae = load(options.autoencoder)
    folder = data.CACHE / f"latents-{options.autoencoder}"
    if options.autoencoder == "exported":  # a transformer was trained on its statistics
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "statistics.json").write_text(json.dumps({key: list(vae.config[key]) for key in ("latents_mean", "latents_std")}, indent=1))
    sets = [data.WorldShards(version, training=not version.endswith("-val")) for version in options.world]
    while True:
        for clips, items, use, path in [shard for world in sets for shard in world.refresh().shards][: options.shards]:
            pictures_only = options.pictures_only or clips.shape[1] < data.FRAMES
            target = folder / f"{path.parent.name}-{path.stem}{'-pictures' if pictures_only else ''}"
            if (target / "captions.json").exists() or (folder / f"{path.parent.name}-{path.stem}" / "captions.json").exists():
                continue
            texts = [[items[i]["static"], items[i]["dynamic"]] for i in use]
            start = time.time()
            encode_set(vae, target, lambda a, b: [clips[i] for i in use[a:b]], texts, pictures_only=pictures_only)
            print(f"{target.name}: {len(use)} clips in {time.time() - start:.0f} s", flush=True)
        for looked in (True, False):
            encode_real(vae, folder, looked, options.pictures_only)
        if not options.watch:
            break
        time.sleep(20)
    if options.statistics or not (folder / "statistics.json").exists():
        print(*statistics(folder), sep="\n")


if __name__ == "__main__":
    main()
