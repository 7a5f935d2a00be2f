"""Steadies clips before a twin codes them, and sets them in motion again behind it: the camera's path goes into the dynamics. main/engine/models/vidtwin does the same in
its own way: it finds the path by direct alignment instead of corners, and fills what no frame shows from the nearest edge.

A path is [frames, 2, 3]: where a frame's coordinates lie in the window, both in fractions of width and height, a pixel's middle at (i + 0.5) / n.
Clips are uint8 [frames, h, w, 3]."""

from pathlib import Path

import cv2
import numpy as np
import torch

GAIN = 16  # of a path's numbers in z_d, so that they are of the order of the others
PART = 250  # clips that are steadied before what is known is kept
IDENTITY = np.eye(2, 3)

cv2.setNumThreads(1)


def square(m):
    return np.vstack([m, [0, 0, 1]])


def similarity(a, b):
    """Rotation, scale and shift [2, 3] that most corners followed from grey picture a to b agree on; none where too few can be followed."""
    corners = cv2.goodFeaturesToTrack(a, 400, 0.003, 3)
    if corners is None or len(corners) < 12:
        return IDENTITY
    track = lambda x, y, points: cv2.calcOpticalFlowPyrLK(x, y, points, None, winSize=(11, 11), maxLevel=3)[:2]
    there, seen = track(a, b, corners)
    back, seen_again = track(b, a, there)
    good = (seen[:, 0] == 1) & (seen_again[:, 0] == 1) & (np.abs(back - corners)[:, 0].max(1) < 0.5)
    if good.sum() < 12:
        return IDENTITY
    found, agree = cv2.estimateAffinePartial2D(corners[good], there[good], method=cv2.RANSAC, ransacReprojThreshold=0.7)
    return IDENTITY if found is None or agree.sum() < 10 else found


def camera_path(clip):
    """The path of a clip, which fits all frames into the window; the identity where the camera hardly moves, or so far that little would be left of a frame."""
    frames, h, w, _ = clip.shape
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip]
    to_first = [np.eye(3)]
    for before, after in zip(grey, grey[1:]):
        to_first.append(to_first[-1] @ np.linalg.inv(square(similarity(before, after))))
    corners = np.array([[0, 0, 1], [w, 0, 1], [0, h, 1], [w, h, 1]], float).T
    middles = square([[1, 0, 0.5], [0, 1, 0.5]])  # of pixels to coordinates
    to_first = [middles @ m @ np.linalg.inv(middles) for m in to_first]
    reached = np.concatenate([(m @ corners)[:2] for m in to_first], 1)
    low, high = reached.min(1), reached.max(1)
    fraction = np.diag([1 / w, 1 / h, 1])
    window = np.diag([w / (high[0] - low[0]), h / (high[1] - low[1]), 1]) @ square([[1, 0, -low[0]], [0, 1, -low[1]]])
    path = [window @ m for m in to_first]
    moved = max(np.abs((m @ corners - corners)[:2]).max() for m in path)
    if moved < 0.75 or min(min(m[0, 0], m[1, 1]) for m in path) < 0.35:
        return np.stack([IDENTITY] * frames)
    return np.stack([(fraction @ m @ np.linalg.inv(fraction))[:2] for m in path])


def in_pixels(m, h, w):
    """A row of a path as OpenCV wants it, between pixels' indices."""
    size, middles = np.diag([w, h, 1.0]), square([[1, 0, 0.5], [0, 1, 0.5]])
    return (np.linalg.inv(middles) @ size @ square(m) @ np.linalg.inv(size) @ middles)[:2]


def steady(clip, path):
    """The window over time: where a frame does not reach, what the frame nearest in time shows there, and what none shows from the surroundings."""
    if (path == IDENTITY).all():
        return clip
    frames, h, w, _ = clip.shape
    maps = [in_pixels(m, h, w) for m in path]
    warp = lambda x, m: cv2.warpAffine(x, m, (w, h), flags=cv2.INTER_LINEAR)
    shown = np.stack([warp(frame, m) for frame, m in zip(clip, maps)])
    known = np.stack([warp(np.ones((h, w), np.float32), m) > 0.999 for m in maps])
    times = np.arange(frames)
    apart = np.where(known[None], np.abs(times[:, None] - times)[..., None, None], frames)
    shown = np.take_along_axis(shown, apart.argmin(1)[..., None], 0)
    unknown = (~known.any(0)).astype(np.uint8)
    return np.stack([cv2.inpaint(frame, unknown, 3, cv2.INPAINT_TELEA) for frame in shown]) if unknown.any() else shown


def unsteady(window, path):
    """[frames, h, w, 3] of floats: what the camera saw."""
    _, h, w, _ = window.shape
    flags = dict(flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE)
    return np.stack([cv2.warpAffine(frame, in_pixels(m, h, w), (w, h), **flags) for frame, m in zip(window, path)])


@torch.no_grad()
def encode(model, clip):
    """Both latents of a clip of the network's frames, as files hold them: what a path has beside the identity lies in the lines behind the columns."""
    c = model.config
    path = camera_path(clip) if c.path_lines else np.stack([IDENTITY] * c.frames)
    pictures = steady(clip, path)
    z_s, z_d = model.encode(torch.from_numpy(pictures.copy()).permute(3, 0, 1, 2)[None].float() / 127.5 - 1)
    if c.path_lines:
        lines = torch.zeros(c.frames, c.dynamics_dim * c.path_lines)
        lines[:, :6] = torch.from_numpy(GAIN * (path - IDENTITY)).float().flatten(1)
        z_d = torch.cat([z_d.float(), lines.view(1, c.frames, c.dynamics_dim, c.path_lines)], 3)
    return z_s, z_d


class SteadyClips:
    """Crops of the world and of the material, steadied once and kept in a folder; drawn mirrored, backwards and with their colours in another order, so that each
    serves often. `counts` {(h, w): clips}."""

    def __init__(self, folder, draw, counts):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.clips = {}
        for (h, w), wanted in counts.items():
            parts = [np.load(file, mmap_mode="r") for file in sorted(self.folder.glob(f"{h}x{w}-*.npy"))]
            while sum(map(len, parts)) < wanted:
                made = np.stack([self.steadied(draw(h, w)) for _ in range(PART)])
                file = self.folder / f"{h}x{w}-{len(parts):04}.npy"
                partial = file.with_suffix(".partial")
                with open(partial, "wb") as out:
                    np.save(out, made)
                partial.replace(file)
                parts.append(np.load(file, mmap_mode="r"))
                print(f"steadied {sum(map(len, parts))} clips of {w} x {h}", flush=True)
            self.clips[h, w] = [(part, i) for part in parts for i in range(len(part))]

    @staticmethod
    def steadied(clip):
        """[1, 3, frames, h, w] in -1..1"""
        pictures = ((clip[0].permute(1, 2, 3, 0).numpy() + 1) * 127.5).round().clip(0, 255).astype(np.uint8)
        return steady(pictures, camera_path(pictures))

    def batch(self, random, count, size):
        """-> [count, 3, frames, h, w] in -1..1"""
        clips = self.clips[size]
        chosen = []
        for i in random.integers(len(clips), size=count):
            part, index = clips[i]
            clip = part[index]
            if random.random() < 0.5:
                clip = clip[:, :, ::-1]
            if random.random() < 0.3:
                clip = clip[::-1]
            if random.random() < 0.2:
                clip = clip[..., random.permutation(3)]
            chosen.append(clip)
        return torch.from_numpy(np.stack(chosen)).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
