"""Every look changes a photograph and a clip, alike for the same seed, keeps its shape and has words."""

import numpy as np

import looks


def main():
    ys, xs = np.mgrid[0:96, 0:128]
    picture = np.stack([xs * 2, 200 - ys, 90 + 60 * ((xs // 16 + ys // 16) % 2)], -1).clip(0, 255).astype(np.uint8)
    clip = np.stack([np.roll(picture, 2 * i, 1) for i in range(3)])
    for names, change, kind in (looks.LIGHTS, looks.light, "light"), (looks.STYLES, looks.style, "style"), (looks.FILMS, looks.film, "film"):
        for name in names:
            first, again = (change(name, clip, np.random.default_rng(1)) for _ in range(2))
            assert first.shape == clip.shape and first.dtype == np.uint8, name
            assert (first == again).all(), f"{name} differs from run to run"
            assert np.abs(first.astype(float) - clip).mean() > 4, f"{name} changes nothing"
            chosen = {"light": None, "style": None, "film": None, kind: name}
            said = looks.say(np.random.default_rng(2), "A man walks.", chosen)
            about = looks.LOOKS[kind][name]
            assert any(phrase in said for key in ("phrases", "after", "before") for phrase in about.get(key, [])), said
    random = np.random.default_rng(3)
    assert all(looks.draw(random, "A street at night.")["light"] is None for _ in range(200)), "a lit scene is lit again"
    assert not any(looks.draw(random, "A chair in a room.")["light"] in looks.OUTDOORS for _ in range(400)), "it rains in a room"
    print(f"{len(looks.LIGHTS)} lights, {len(looks.STYLES)} styles, {len(looks.FILMS)} films")


if __name__ == "__main__":
    main()
