"""What plain transform coding reaches with as many values as a clip's latents have (20,480): PSNR of the 3D DCT.

    python yardstick.py

`fixed`: the 20,480 coefficients that carry most energy over rendered training clips, the same ones for every clip.
`adaptive`: the 20,480 largest of each clip, whose places no decoder would know: out of reach for a code of that size.
"""

import numpy as np
from scipy.fft import dctn

import data

VALUES = 16 * 5 * 16 * 16
LUMA = np.array([[0.299, 0.587, 0.114], [-0.169, -0.331, 0.5], [0.5, -0.419, -0.081]])


def coefficients(clip, rotation=np.linalg.qr(LUMA.T)[0].astype(np.float32)):
    """[17, 128, 128, 3] uint8 -> orthonormal DCT coefficients of a luma and two chroma channels, of values 0 to 1."""
    return dctn(clip.astype(np.float32) / 255 @ rotation, axes=(0, 1, 2), norm="ortho")


def square_clips(world, random, count):
    clips = []
    while len(clips) < count:
        clip, _ = world.pick(random)
        if clip.shape[1:3] == (128, 128):
            clips.append(clip)
    return clips


def main():
    random = np.random.default_rng(0)
    energy = sum(coefficients(clip) ** 2 for clip in square_clips(data.WorldShards("v2"), random, 60))
    zone = np.zeros(energy.size, bool)
    zone[np.argsort(energy.ravel())[::-1][:VALUES]] = True
    zone = zone.reshape(energy.shape)
    sets = {"real": [clip for _, clip in data.test_clips()], "world": square_clips(data.WorldShards("v2-val", training=False), random, 20)}
    for name, clips in sets.items():
        squares = [coefficients(clip) ** 2 for clip in clips]
        fixed = [-10 * np.log10(s[~zone].sum() / s.size) for s in squares]
        adaptive = [-10 * np.log10(np.sort(s.ravel())[:-VALUES].sum() / s.size) for s in squares]
        print(f"{name}: fixed {np.mean(fixed):.1f} dB, adaptive {np.mean(adaptive):.1f} dB, {len(clips)} clips")


if __name__ == "__main__":
    main()
