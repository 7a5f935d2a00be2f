"""The world's looks on photographs and clips, so that their words are learned on real pictures too.

    python looks.py --out sheet.png [--photo city_from_drone.jpg]     every look on one photograph

Words and numbers are those of main/world/looks.json. Films are the same exact functions of colour as in the world. Styles are
filters, light is guessed from brightness and height in the picture: what is high is taken to be far away.
Clips are [frames, height, width, 3] uint8. Everything random comes from the generator that the caller owns.
"""

import argparse
import json
import re
from pathlib import Path

import cv2
import numpy as np

WORLD = Path(__file__).resolve().parents[4] / "main" / "world"
LOOKS = json.loads((WORLD / "looks.json").read_text())
FILMS = list(LOOKS["film"])
STYLES = ["watercolour", "pencil", "ink", "comic", "oil", "pixel art"]  # no filter makes a photograph 3D animation
OUTDOORS = ["storm", "rain", "snowfall", "mist", "dust", "overcast", "fog", "underwater"]
LIGHTS = [name for name in LOOKS["light"] if name != "day"]
# Pictures whose caption already tells the light, or a place with a roof
LIT = re.compile(r"\b(night|dark|sunset|sunrise|dusk|dawn|evening|morning|twilight|moon|fog\w*|mist\w*|haz[ey]|rain\w*|snow\w*|storm\w*|neon|lamp\w*|"
                 r"lit|underwater|fire\w*|flame\w*|candle\w*|lights?|glow\w*|spotlight|overcast|stars|space|ice)\b")
INDOORS = re.compile(r"\b(room|bathroom|kitchen|flat|hall|indoors|inside|interior|floor|table|desk|chair|armchair|carpet|wall|stairs|dome|altar|"
                     r"museum|corridor|door|laptop|cup|white background|tank|cave)\b")


def mix(a, b, share):
    return a + (b - a) * share


def smoothstep(low, high, x):
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def grey_of(clip):
    return clip @ np.array([0.3, 0.59, 0.11], np.float32)


def noise(random, height, width, cell):
    """Smooth noise in 0..1 [height, width] with features of `cell` pixels."""
    coarse = random.random((int(height / cell) + 3, int(width / cell) + 3)).astype(np.float32)
    wide = cv2.resize(coarse, (int(coarse.shape[1] * cell), int(coarse.shape[0] * cell)), interpolation=cv2.INTER_CUBIC)
    top, left = random.integers(0, max(1, wide.shape[0] - height)), random.integers(0, max(1, wide.shape[1] - width))
    return np.clip(wide[top : top + height, left : left + width], 0, 1)


# Films


def film(name, clip, random):
    about = LOOKS["film"][name]
    red, green, blue = np.moveaxis(clip.astype(np.float64), -1, 0)
    rows = np.array(about["matrix"]).reshape(3, 3)
    sums = np.stack([r * red + g * green + b * blue for r, g, b in rows], -1)  # in the world's order, so that halves round alike
    sums = np.clip(np.floor(sums + 0.5), 0, 255).astype(np.uint8)
    places = np.arange(256) / 255 * 4
    out = np.stack([np.floor(np.interp(places, range(5), curve) + 0.5).astype(np.uint8)[sums[..., c]] for c, curve in enumerate(about["curves"])], -1)
    return wear(random, out, about["grain"], about["scratches"]) if "grain" in about else out


def wear(random, clip, grain, scratches):
    """Grain, an unsteady lamp, scratches and dust, new in every frame."""
    t, h, w, _ = clip.shape
    x = clip.astype(np.float32) * random.uniform(0.93, 1.05, (t, 1, 1, 1)) + (random.random((t, h, w, 1)) - 0.5) * grain
    for frame in x:
        for _ in range(scratches):
            frame[:, random.integers(w)] += random.choice([90, -70])
        for _ in range(6):
            y, left, size = random.integers(h), random.integers(w), 1 + random.integers(max(1, round(h / 64)))
            frame[y : y + size, left : left + size] += random.choice([110, -90])
    return np.clip(x + 0.5, 0, 255).astype(np.uint8)


# Styles: one frame [height, width, 3] uint8 -> float 0..255; `texture` holds what stays in place over a clip


def smooth(frame, scale, times=2):
    for _ in range(times):
        frame = cv2.bilateralFilter(frame, 0, 26, 2.2 * scale)
    return frame


def lines_of(frame, scale, sharpness):
    """Outlines by differences of Gaussians in 0..1 [height, width], 1 is a line (after Winnemöller 2011)."""
    grey = grey_of(cv2.bilateralFilter(frame, 0, 30, 1.6 * scale).astype(np.float32))
    fine, broad = (cv2.GaussianBlur(grey, (0, 0), sigma * scale) for sigma in (0.7, 1.3))
    return np.clip((broad * 0.985 - fine) * 0.1 * sharpness, 0, 1)


def watercolour(frame, scale, texture):
    wet = cv2.remap(frame, *texture["wobble"], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    x = smooth(wet, scale, 3).astype(np.float32)
    edge = np.abs(x - cv2.GaussianBlur(x, (0, 0), 2 * scale)).max(-1, keepdims=True)
    grey = grey_of(x)[..., None]
    pigment = (255 - grey - (x - grey) * 1.25) * (0.62 + 0.5 * texture["pool"][..., None]) + 0.9 * edge
    return (250 - 0.92 * pigment) * (1 + (texture["paper"][..., None] - 0.5) * 0.08)


def hatched(dark, texture, low, high):
    """Strokes in 0..1 that grow thicker from darkness `low` on, crossed by others from `high` on."""
    first = np.clip((dark - low) * 3.4 + texture["hatch"][0] * 0.62 - 0.5, 0, 1)
    return np.maximum(first, np.clip((dark - high) * 3.4 + texture["hatch"][1] * 0.62 - 0.5, 0, 1))


def pencil(frame, scale, texture):
    x = smooth(frame, scale, 1).astype(np.float32)
    grey = grey_of(x)
    dark = 1 - (grey / 255) ** bright(grey)
    graphite = 0.34 * hatched(dark, texture, 0.2, 0.5) + 0.4 * np.clip(dark - 0.15, 0, 1) + 0.75 * lines_of(frame, scale, 1.1)
    graphite = np.clip(graphite * (0.7 + 0.6 * texture["paper"]), 0, 0.92)[..., None]
    return 246 * (1 - graphite) + (x - grey[..., None]) * 0.45 * (1 - graphite)


def ink(frame, scale, texture):
    grey = grey_of(smooth(frame, scale, 1).astype(np.float32))
    dark = 1 - (grey / 255) ** bright(grey)
    solid = np.clip((dark - 0.8) * 8, 0, 1)
    shade = np.maximum(solid, np.clip(hatched(dark, texture, 0.34, 0.54) * 2.6, 0, 1))
    line = np.clip(lines_of(frame, scale, 2.2), 0, 1)
    black = shade + (1 - solid - shade) * line
    return (1 - 0.93 * np.clip(black, 0, 1))[..., None] * np.array([245, 245, 233], np.float32)


def bright(grey):
    """The exponent that lifts a dark picture to a common mean: whoever draws the night still shows what is in it."""
    return float(np.clip(np.log(0.58) / np.log((grey.mean() + 1) / 256), 0.3, 0.85))


def comic(frame, scale, texture):
    x = smooth(frame, scale, 4).astype(np.float32)
    grey = grey_of(x) + 1
    place = grey / 255 * 4
    flat = (np.floor(place) + np.clip((place % 1 - 0.38) * 4.2, 0, 1)) / 4 * 255 + 14
    vivid = flat[..., None] + (x - grey[..., None]) * 1.55 * (flat / grey)[..., None]
    dots = np.where(grey < 110, np.clip(texture["dots"] - grey / 150 + 0.35, 0, 1) * 24, 0)
    line = np.clip(lines_of(frame, scale, 1.5), 0, 1)[..., None]
    return mix(vivid - dots[..., None], 12, line)


def oil(frame, scale, texture):
    """The quietest of four neighbourhoods (Kuwahara 1976), and bristles."""
    radius = max(1, round(1.8 * scale))
    h, w = frame.shape[:2]
    x = cv2.copyMakeBorder(frame, *[radius] * 4, cv2.BORDER_REFLECT).astype(np.float32)
    window = (2 * radius + 1,) * 2
    mean = cv2.blur(x, window)
    restless = (cv2.blur(x * x, window) - mean * mean).sum(-1)
    best, out = np.full((h, w), np.inf, np.float32), x[:h, :w].copy()
    for dy in (0, 2 * radius):
        for dx in (0, 2 * radius):
            there = restless[dy : dy + h, dx : dx + w]
            closer = there < best
            best = np.where(closer, there, best)
            out[closer] = mean[dy : dy + h, dx : dx + w][closer]
    grey = grey_of(out)[..., None]
    return (grey + (out - grey) * 1.35) * (1 + 0.32 * (texture["bristles"][..., None] - 0.5))


def pixel_art(frame, scale, texture):
    h, w = frame.shape[:2]
    cell = max(2, round(4 * scale))
    small = cv2.resize(frame, (max(1, w // cell), max(1, h // cell)), interpolation=cv2.INTER_AREA).astype(np.float32)
    grey = grey_of(small)[..., None]
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], np.float32) / 16 - 0.47
    step = 255 / 6
    dither = np.tile(bayer, (small.shape[0] // 4 + 1, small.shape[1] // 4 + 1))[: small.shape[0], : small.shape[1], None] * step * 0.2
    few = np.clip(np.round((grey + (small - grey) * 1.3 + dither) / step) * step, 0, 255)
    return cv2.resize(few, (w, h), interpolation=cv2.INTER_NEAREST)


FILTERS = {"watercolour": watercolour, "pencil": pencil, "ink": ink, "comic": comic, "oil": oil, "pixel art": pixel_art}


def textures(random, h, w, scale):
    """Paper, pigment, strokes and dots of one sheet; they stay in place while the picture moves."""
    ys, xs = np.mgrid[0:h, 0:w].astype(np.float32)
    wobble = [(noise(random, h, w, 7 * scale) - 0.5) * 3.4 * scale for _ in range(2)]
    tooth = noise(random, h, w, 2.2 * scale)
    pitch = 2 * np.pi / (5.6 * scale)
    turn = np.floor(noise(random, h, w, 42 * scale) * 5) * 0.66
    along, across = xs * np.cos(turn) + ys * np.sin(turn), ys * np.cos(turn) - xs * np.sin(turn)
    grain = random.random((256, 256)).astype(np.float32)
    bristles = cv2.remap(grain, (across / scale * 0.7) % 255, (along / scale * 0.09) % 255, cv2.INTER_LINEAR)
    return {
        "paper": noise(random, h, w, 1.5 * scale),
        "pool": noise(random, h, w, 24 * scale),
        "wobble": (xs + wobble[0], ys + wobble[1]),
        "hatch": (np.sin((xs + ys) * pitch + tooth * 2.4), np.sin((xs - ys) * pitch + tooth * 2.4)),
        "dots": np.sin((xs + ys) * np.pi / (6 * scale)) * np.sin((xs - ys) * np.pi / (6 * scale)),
        "bristles": bristles,
    }


def style(name, clip, random):
    t, h, w, _ = clip.shape
    scale = min(h, w) / 128
    texture = textures(random, h, w, scale)
    return np.stack([np.clip(FILTERS[name](np.ascontiguousarray(frame), scale, texture), 0, 255) for frame in clip]).astype(np.uint8)


# Light


def light(name, clip, random):
    about, day = LOOKS["light"][name], LOOKS["light"]["day"]
    t, h, w, _ = clip.shape
    side = random.choice([-1, 1])
    x = clip.astype(np.float32) / 255
    ys = np.linspace(0, 1, h, dtype=np.float32)[None, :, None, None]
    xs = np.linspace(-1, 1, w, dtype=np.float32)[None, None, :, None]
    level = smoothstep(0.1, 0.7, grey_of(x))[..., None]
    gain = lambda of: mix(np.array(of["shade"], np.float32), np.array(of["key"], np.float32), level)
    sky = sky_of(x)
    x = x * gain(about) / gain(day) * (1 + 0.16 * side * xs * about.get("rimStrength", 0))
    above = mix(np.array(about["skyTop"], np.float32), np.array(about["skyBottom"], np.float32), np.clip(ys / 0.55, 0, 1)) / 255
    x = mix(x, above * (0.75 + 0.35 * level), 0.88 * sky)
    depth = np.clip((0.95 - ys) / 0.5, 0, 1) ** 1.5
    x = mix(x, np.array(about["haze"], np.float32) / 255, mix(about["hazeNear"], 0.8 * about["hazeFar"], depth) * (1 - 0.8 * sky))
    if "veil" in about:
        band = np.where(ys < 0.5, smoothstep(0.15, 0.5, ys), 1 - 0.6 * smoothstep(0.5, 1, ys))
        wisps = np.stack([np.roll(noise(random, h, w, 40 * h / 128), 0, 1)] * t)[..., None] * 0.8 + 0.5
        x = mix(x, np.array(about["veil"]["colour"], np.float32) / 255, np.clip(0.8 * about["veil"]["behind"] * band * wisps, 0, 1))
    flicker = lambda amount: 1 - amount * random.random((t, 1, 1, 1)).astype(np.float32)
    if "beam" in about:
        x = x + beams(about, xs, ys, side)
    if "pool" in about:
        pool = about["pool"]
        place = np.hypot((xs - side * pool["x"]) * w / h / 2, ys - 0.5 - pool["y"]) / (pool["radius"] * flicker(pool.get("flicker", 0)))
        x = x * mix(1, np.array(pool["dark"], np.float32) / 255, smoothstep(0.8 if pool.get("hard") else 0.1, 1, place))
    if "air" in about:
        x = falling(random, x, about["air"], side, np.array(about["haze"], np.float32) / 255)
    if "flare" in about:
        flare = about["flare"]
        near = np.clip(1 - np.hypot((xs - side) * w / h / 2, ys - 0.5 - flare.get("y", -0.12)) / 0.9, 0, 1) ** 2
        glow = np.array(flare["colour"], np.float32) / 255 * flare["alpha"] * near * flicker(flare.get("flicker", 0))
        x = 1 - (1 - x) * (1 - glow)
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def sky_of(x):
    """A guess of where the sky is, 0..1 [t, h, w, 1]: bright, smooth, not warm, and in the upper part."""
    ys = np.linspace(0, 1, x.shape[1], dtype=np.float32)[:, None]
    masks = []
    for frame in x:
        soft = cv2.GaussianBlur(frame, (0, 0), 1.5)
        busy = cv2.GaussianBlur(np.abs(frame - cv2.GaussianBlur(frame, (0, 0), 2)).max(-1), (0, 0), 3)
        mask = smoothstep(0.35, 0.6, soft.mean(-1)) * smoothstep(-0.06, 0.04, soft[..., 2] - soft[..., 0]) * (1 - smoothstep(0.015, 0.05, busy))
        mask = np.minimum.accumulate(cv2.GaussianBlur(mask, (0, 0), 2), 0)  # all the way down from the upper edge
        masks.append(cv2.GaussianBlur(mask * (1 - smoothstep(0.4, 0.7, ys)), (0, 0), 1.5))
    return np.stack(masks)[..., None]


def beams(about, xs, ys, side):
    """One cone onto a pool, or shafts through water."""
    colour = np.array(about["beam"]["colour"], np.float32) / 255 * about["beam"]["alpha"]
    lean = xs - 0.3 * side * ys
    if "pool" in about:
        return colour * 0.7 * np.clip(1 - np.abs(xs - side * (0.3 - 0.4 * ys)) / (0.06 + 0.75 * ys), 0, 1) * (1 - 0.6 * ys)
    return colour * np.clip(np.sin(lean * 9) * np.sin(lean * 4 + 1), 0, 1) * np.clip(1 - ys / 0.8, 0, 1)


def falling(random, x, kind, side, haze):
    """Rain, flakes, dust, embers or bubbles that move through a clip [t, h, w, 3] in 0..1."""
    t, h, w, _ = x.shape
    count, down, lean, colour = {
        "rain": (150, 2.4, 0.08, mix(haze, 1, 0.7)),
        "storm": (180, 2.8, 0.5, mix(haze, 1, 0.7)),
        "snow": (120, 0.3, 0.1, np.ones(3)),
        "dust": (70, 0.04, 9.0, mix(haze, 1, 0.4)),
        "embers": (44, -0.3, 0.2, np.array([1, 0.66, 0.25])),
        "bubbles": (40, -0.3, 0.05, np.array([0.88, 1, 0.98])),
    }[kind]
    start, close = random.random((count, 2)), random.random(count)
    out = x.copy()
    fine = lambda *values: tuple(int(round(16 * value)) for value in values)  # sixteenths of a pixel
    for i in range(t):
        layer = np.zeros((h, w), np.uint8)
        for (sx, sy), near in zip(start, close):
            speed = down * (0.7 + 0.6 * near) / 8 * i
            px, py = ((sx - side * lean * speed) % 1) * w, ((sy + speed) % 1) * h
            if kind in ("rain", "storm", "dust"):
                long = (0.11 if kind != "dust" else 0.015) * h * (0.4 + near)
                end = fine(px + side * lean * long, py - long * (kind != "dust"))
                cv2.line(layer, fine(px, py), end, int(64 + 102 * near), max(1, round(h / 160)), cv2.LINE_AA, 4)
            elif kind == "bubbles":
                cv2.circle(layer, fine(px, py), fine(h * (0.008 + 0.02 * near))[0], 150, 1, cv2.LINE_AA, 4)
            else:
                cv2.circle(layer, fine(px, py), fine(h * (0.003 + 0.009 * near))[0], 255, -1, cv2.LINE_AA, 4)
        layer = layer.astype(np.float32) / 255
        if kind == "dust":
            layer = 0.7 * cv2.GaussianBlur(layer, (0, 0), h / 110)
        out[i] = mix(out[i], colour.astype(np.float32), layer[..., None])
    return out


# Which looks a picture gets, and the words for them


def draw(random, caption):
    """A light, a style and a film, each perhaps None: at least one of them, and only a light that the caption leaves open."""
    open_light = not LIT.search(caption.lower())
    lights = [name for name in LIGHTS if not (INDOORS.search(caption.lower()) and name in OUTDOORS)]
    while True:
        chosen = {
            "light": str(random.choice(lights)) if open_light and random.random() < 0.4 else None,
            "style": str(random.choice(STYLES)) if random.random() < 0.4 else None,
            "film": str(random.choice(FILMS)) if random.random() < 0.35 else None,
        }
        if any(chosen.values()):
            return chosen


def apply(random, clip, chosen):
    """Light first, then the style that draws what is lit, then the film that it is shot on."""
    for kind, change in (("light", light), ("style", style), ("film", film)):
        if chosen[kind]:
            clip = change(chosen[kind], clip, random)
    return clip


def say(random, caption, chosen):
    """The caption with the words for the looks, before it or behind."""
    pick = lambda phrases: phrases[random.integers(len(phrases))]
    words = LOOKS["style"][chosen["style"]] if chosen["style"] else None
    filmed = LOOKS["film"][chosen["film"]] if chosen["film"] else None
    parts = [caption.rstrip(".")] + ([pick(LOOKS["light"][chosen["light"]]["phrases"])] if chosen["light"] else [])
    before = random.random() < 0.5
    opening = words if words else filmed
    if opening and before:
        parts[0] = f"{pick(opening['before'])} {parts[0][0].lower()}{parts[0][1:]}"
    if words and not before:
        parts.append(pick(words["after"]))
    if filmed and not (before and opening is filmed):
        parts.append(pick(filmed["after"]))
    return ", ".join(parts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("--photo", default="tourist_with_camera.jpg", help="a file of the material's photos")
    parser.add_argument("--size", type=int, default=128)
    options = parser.parse_args()
    import data

    photo = data.fit(cv2.imread(str(data.SHARED / "material" / "photos" / options.photo))[None, ..., ::-1], options.size, options.size)
    cells = [("as it is", photo)] + [(name, change(name, photo, np.random.default_rng(0)))
                                     for names, change in ((LIGHTS, light), (STYLES, style), (FILMS, film)) for name in names]
    columns, gap, label = 9, 4, 14
    rows = -(-len(cells) // columns)
    sheet = np.full((rows * (options.size + gap + label), columns * (options.size + gap), 3), 255, np.uint8)
    for i, (name, clip) in enumerate(cells):
        top, left = i // columns * (options.size + gap + label), i % columns * (options.size + gap)
        cv2.putText(sheet, name, (left, top + 10), cv2.FONT_HERSHEY_SIMPLEX, 0.35, (30, 30, 30), 1, cv2.LINE_AA)
        sheet[top + label : top + label + options.size, left : left + options.size] = clip[-1]
    cv2.imwrite(options.out, sheet[..., ::-1])


if __name__ == "__main__":
    main()
