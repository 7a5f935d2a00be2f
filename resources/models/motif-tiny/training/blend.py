"""A model folder between two others of the same networks: what a training has won is mostly kept, and what it cost mostly given back
(Wortsman et al., "Robust fine-tuning of zero-shot models", arXiv 2109.01903).

    python blend.py BEFORE AFTER --share 0.75 --out FOLDER

Transformer and text encoder become (1 - share) BEFORE + share AFTER; all else is AFTER's.
"""

import argparse
import shutil
from pathlib import Path

from safetensors.torch import load_file, save_file

WEIGHTS = ("transformer/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--share", type=float, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    shutil.copytree(options.after, options.out)
    for name in WEIGHTS:
        before, after = load_file(options.before / name), load_file(options.after / name)
        if before.keys() != after.keys():
            raise SystemExit(f"{name}: the two folders hold different networks")
        between = {key: before[key].float().lerp(after[key].float(), options.share).to(after[key].dtype).contiguous() for key in after}
        save_file(between, options.out / name, {"format": "pt"})


if __name__ == "__main__":
    main()
