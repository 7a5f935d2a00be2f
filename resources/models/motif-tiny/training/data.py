"""Training data: real photographs and clips decoded once into a uint8 cache, and memory-mapped shards of the world.

Everything random is drawn from one `numpy` generator that the caller owns, so a resumed run continues a seeded stream.
Shapes are [frames, height, width, 3] uint8 until a batch is made; a batch is [batch, 3, frames, height, width] in -1..1.
"""

import json
import os
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

REPOSITORY = Path(__file__).resolve().parents[4]
CACHE = Path(os.environ.get("MOTIF_TRAINING_CACHE", REPOSITORY / ".cache" / "training"))
WORLD = Path(os.environ.get("MOTIF_WORLD", REPOSITORY / ".cache" / "world"))
SHARED = Path(os.environ.get("MOTIF_SHARED", REPOSITORY.parent / "shared"))
MODEL = Path(os.environ.get("MOTIF_MODEL", REPOSITORY / "resources" / "models" / "motif-tiny"))
SIZES = [(128, 128), (96, 176), (176, 96)]  # height, width of the three sizes that the model is trained for
FRAMES = 17
FRAME_RATE = 8


def decode_clip(path, frame_rate, longest_side, start=0.0, end=None):
    """Frames of a file at about `frame_rate`, resized so that the longest side fits: [frames, height, width, 3] uint8."""
    import av

    frames, next_time = [], start
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for index, frame in enumerate(container.decode(stream)):
            time = float(frame.time) if frame.time is not None else index / float(stream.average_rate or 25)
            if end is not None and time > end + 1e-6:
                break
            if time + 1e-6 < next_time:
                continue
            scale = min(1.0, longest_side / max(frame.width, frame.height))
            width, height = round(frame.width * scale / 2) * 2, round(frame.height * scale / 2) * 2
            frames.append(frame.to_ndarray(format="rgb24", width=width, height=height, interpolation="AREA"))
            next_time += 1 / frame_rate
    return np.stack(frames)


def fit(frames, height, width):
    """Scales and centre-crops frames [t, h, w, 3] uint8 to the size, with anti-aliasing: [t, height, width, 3] uint8."""
    t, h, w, _ = frames.shape
    scale = max(height / h, width / w)
    x = torch.from_numpy(np.array(frames)).permute(0, 3, 1, 2).float()
    x = F.interpolate(x, size=(max(height, round(h * scale)), max(width, round(w * scale))), mode="bilinear", antialias=True)
    top, left = (x.shape[2] - height) // 2, (x.shape[3] - width) // 2
    x = x[:, :, top : top + height, left : left + width]
    return x.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


class RealMaterial:
    """The photographs and clips of the material folder, decoded once. The clips beside it (`clips/`) are never read here."""

    def __init__(self):
        self.captions = json.loads((SHARED / "material" / "captions.json").read_text())
        folder = CACHE / "real"
        folder.mkdir(parents=True, exist_ok=True)
        self.photos, self.clips = {}, {}
        photos_file = folder / "photos.npz"
        if not photos_file.exists():
            from PIL import Image

            photos = {p.name: np.asarray(Image.open(p).convert("RGB")) for p in sorted((SHARED / "material" / "photos").glob("*.jpg"))}
            np.savez(photos_file, **photos)
        with np.load(photos_file) as stored:
            self.photos = {name: stored[name] for name in stored.files}
        for path in sorted((SHARED / "material" / "clips").glob("*.mp4")):
            cached = folder / f"{path.stem}.npy"
            if not cached.exists():
                np.save(cached, decode_clip(path, 16, 256))  # twice the model's rate, so that time can be stretched
            self.clips[path.name] = np.load(cached, mmap_mode="r")

    def crop(self, random, frames, height, width):
        """One augmented crop, a third each: clip, panned and zoomed photograph, and photograph standing still."""
        if random.random() < 0.5:
            clip = self.clips[list(self.clips)[random.integers(len(self.clips))]]
            stride = random.choice([1, 2, 2, 3])
            if len(clip) < (frames - 1) * stride + 1:
                stride = 1
            if len(clip) >= (frames - 1) * stride + 1:
                start = random.integers(len(clip) - (frames - 1) * stride)
                return window(random, clip[start : start + (frames - 1) * stride + 1 : stride], height, width)
        photo = self.photos[list(self.photos)[random.integers(len(self.photos))]]
        return pan_and_zoom(random, photo, frames, height, width)


def window(random, frames, height, width):
    """A random window of random scale, resized: [t, height, width, 3] uint8."""
    t, h, w, _ = frames.shape
    largest = min(h / height, w / width)
    scale = np.exp(random.uniform(np.log(min(1.0, largest)), np.log(largest)))
    wh, ww = min(h, round(height * scale)), min(w, round(width * scale))
    top, left = random.integers(h - wh + 1), random.integers(w - ww + 1)
    cut = np.ascontiguousarray(frames[:, top : top + wh, left : left + ww])
    return cut if (wh, ww) == (height, width) else fit(cut, height, width)


def pan_and_zoom(random, photo, frames, height, width):
    """A pseudo-clip: the window moves over a photograph with constant speed, scale and a slight turn."""
    h, w, _ = photo.shape
    largest = min(h / height, w / width)
    first = np.exp(random.uniform(np.log(min(1.0, largest * 0.6)), np.log(largest)))
    last = np.clip(first * np.exp(random.normal(0, 0.12)), 0.3, largest)
    moving = random.random() < 0.8
    scales = np.linspace(first, last if moving else first, frames)
    room = lambda s: np.array([max(0.0, h - height * s), max(0.0, w - width * s)]) / 2
    start = random.uniform(-1, 1, 2) * room(first)
    speed = random.normal(0, 0.05, 2) * np.array([height, width]) * frames / 9 if moving else np.zeros(2)
    end = np.clip(start + speed, -room(scales[-1]), room(scales[-1]))
    turn = np.linspace(0, random.normal(0, 0.03) if moving else 0, frames)
    centre = start[None] + (end - start)[None] * np.linspace(0, 1, frames)[:, None]
    theta = np.zeros((frames, 2, 3), np.float32)
    theta[:, 0, 0] = np.cos(turn) * width * scales / w
    theta[:, 0, 1] = -np.sin(turn) * height * scales / w
    theta[:, 1, 0] = np.sin(turn) * width * scales / h
    theta[:, 1, 1] = np.cos(turn) * height * scales / h
    theta[:, 0, 2], theta[:, 1, 2] = centre[:, 1] * 2 / w, centre[:, 0] * 2 / h
    image = torch.from_numpy(photo).permute(2, 0, 1)[None].float()
    if first > 1.4:  # shrink first, or the window would alias
        image = F.interpolate(image, scale_factor=1.2 / first, mode="bilinear", antialias=True)
    grid = F.affine_grid(torch.from_numpy(theta), [frames, 3, height, width], align_corners=False)
    x = F.grid_sample(image.expand(frames, -1, -1, -1), grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return x.round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def held_out(seed):
    """Test (0) and validation (1) seeds, which no training may see."""
    return seed % 10 in (0, 1)


class WorldShards:
    """Rendered clips: `NAME.u8`, raw uint8 [clips, frames, height, width, 3], with `NAME.json` beside it. New shards are
    found by `refresh`. Held-out seeds are left out unless asked for."""

    def __init__(self, *versions, training=True):
        self.versions, self.training, self.shards, self.seen, self.edition = versions, training, [], set(), None
        self.refresh()

    def refresh(self):
        for version in self.versions:
            for sidecar in sorted((WORLD / version).glob("*.json")):
                data = sidecar.with_suffix(".u8")
                if str(data) in self.seen or not data.exists():
                    continue
                try:
                    about = json.loads(sidecar.read_text())
                    shape = (len(about["items"]), about["frameCount"], about["height"], about["width"], 3)
                    if data.stat().st_size != int(np.prod(shape)):
                        continue  # still being written
                    items, edition = about["items"], about.get("edition", 1)
                    if edition != (self.edition or edition):
                        raise RuntimeError(f"{sidecar} is of edition {edition} of the world, those before of {self.edition}: train on one")
                    self.edition = edition
                    use = [i for i, item in enumerate(items) if not (self.training and held_out(item["seed"]))]
                    self.shards.append((np.memmap(data, np.uint8, "r", shape=shape), items, use, data))
                    self.seen.add(str(data))
                except (ValueError, KeyError, OSError):
                    continue
        return self

    def __len__(self):
        return sum(len(use) for _, _, use, _ in self.shards)

    def pick(self, random):
        """A random clip [frames, height, width, 3] uint8 and its item (seed, captions, attributes)."""
        sizes = np.array([len(use) for _, _, use, _ in self.shards], float)
        clips, items, use, _ = self.shards[random.choice(len(sizes), p=sizes / sizes.sum())]
        index = use[random.integers(len(use))]
        return clips[index], items[index]

    def crop(self, random, frames, height, width):
        clip, _ = self.pick(random)
        start = random.integers(len(clip) - frames + 1)
        clip = clip[start : start + frames]
        if random.random() < 0.25:
            return window(random, clip, height, width)
        h, w = clip.shape[1:3]
        if h < height or w < width:
            return fit(np.ascontiguousarray(clip), height, width)
        top, left = random.integers(h - height + 1), random.integers(w - width + 1)
        return np.ascontiguousarray(clip[:, top : top + height, left : left + width])


def augment(random, clip):
    """Mirroring, time reversal and colour changes of a clip [t, h, w, 3] uint8."""
    if random.random() < 0.5:
        clip = clip[:, :, ::-1]
    if random.random() < 0.3:
        clip = clip[::-1]
    if random.random() < 0.3:
        clip = clip[..., random.permutation(3)]
    if random.random() < 0.4:
        gain, offset = random.uniform(0.7, 1.25, (1, 1, 1, 3 if random.random() < 0.5 else 1)), random.uniform(-25, 25)
        clip = np.clip(clip.astype(np.float32) * gain + offset, 0, 255).astype(np.uint8)
    return clip


def to_batch(clips):
    """uint8 clips [t, h, w, 3] -> [batch, 3, t, h, w] float32 in -1..1."""
    x = torch.from_numpy(np.stack([np.ascontiguousarray(c) for c in clips]))
    return x.permute(0, 4, 1, 2, 3).float() / 127.5 - 1


def crops(random, real, world, batch, frames, height, width, real_share):
    """A batch of augmented crops, `real_share` of it real material (all of it while the world is empty)."""
    clips = []
    for _ in range(batch):
        source = real if len(world) == 0 or random.random() < real_share else world
        clips.append(augment(random, source.crop(random, frames, height, width)))
    return to_batch(clips)


def test_clips(size=(128, 128)):
    """The nine real clips that no training sees, 17 frames at 8 per second from their best windows: [(name, [17, h, w, 3])]."""
    captions = json.loads((SHARED / "material" / "captions.json").read_text())["shared_clips"]
    folder = CACHE / "real-test"
    folder.mkdir(parents=True, exist_ok=True)
    clips = []
    for name, about in sorted(captions.items()):
        cached = folder / f"{name}-{size[0]}x{size[1]}.npy"
        if not cached.exists():
            start, end = about["best_window_seconds"]
            frames = decode_clip(SHARED / "clips" / name, FRAME_RATE, 512, start, max(end, start + FRAMES / FRAME_RATE))[:FRAMES]
            while len(frames) < FRAMES:
                frames = np.concatenate([frames, frames[-1:]])
            np.save(cached, fit(frames, *size))
        clips.append((name, np.load(cached)))
    return clips
