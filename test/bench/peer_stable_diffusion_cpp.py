"""Samples one clip from a directory in diffusers' layout with stable-diffusion.cpp, on the processor, and says what it took.

    python peer_stable_diffusion_cpp.py DIRECTORY FOLDER [--weights bf16|f16|q8_0] [--steps 2] [--frames 17] [--size 256] [--threads 2]

FOLDER is for the transformer and the autoencoder as single files under Wan's own names, which stable-diffusion.cpp reads (3 GB for 1.3B; they are written
once). Weights lie in memory as in the file, mapped, unless another type is asked for. No guidance, one pass a step, as in `full-size run`. Needs cyllama, whose
wheels hold stable-diffusion.cpp for AVX2, and what make_checkpoint_files.py needs for the names.

Each step, and each part by its name in the log, is printed with the seconds and processor seconds since the one before; at the end the most memory
that the process had at once, mapped files included.
"""

import argparse
import json
import resource
import shutil
import struct
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))
from cyllama.sd import SampleMethod, SDContext, SDContextParams, SDType, get_system_info, set_log_callback, set_progress_callback  # noqa: E402
from make_checkpoint_files import vae_name, wan_name  # noqa: E402


def renamed(source, target, rename):
    """The same tensors under other names: a safetensors file is a header, then values at offsets from its end."""
    if target.exists():
        return str(target)
    part = target.with_suffix(".part")
    with open(source, "rb") as old, open(part, "wb") as new:
        (length,) = struct.unpack("<Q", old.read(8))
        header = json.loads(old.read(length))
        text = json.dumps({rename(name): value for name, value in header.items() if name != "__metadata__"}).encode()
        text += b" " * (-len(text) % 8)  # so that mapped values are aligned
        new.write(struct.pack("<Q", len(text)) + text)
        shutil.copyfileobj(old, new, 2**24)
    part.rename(target)
    return str(target)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", choices=["bf16", "f16", "q8_0"], default="bf16")
    for name, value in {"steps": 2, "frames": 17, "size": 256, "threads": 2}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    weights = "diffusion_pytorch_model.safetensors"
    last = [time.perf_counter(), time.process_time()]

    def lap(what):
        now = [time.perf_counter(), time.process_time()]
        print(f"{what.strip()}: {now[0] - last[0]:.1f} s, {now[1] - last[1]:.1f} s of processor time", flush=True)
        last[:] = now

    set_log_callback(lambda _, message: lap(message) if "completed" in message else None)
    set_progress_callback(lambda step, steps, _: lap(f"step {step}") if steps == options.steps else None)
    params = SDContextParams(
        diffusion_model_path=renamed(options.directory / "transformer" / weights, options.folder / "transformer.safetensors", wan_name),
        vae_path=renamed(options.directory / "vae" / weights, options.folder / "vae.safetensors", lambda name: vae_name(name, False)),
        t5xxl_path=str(next((options.directory / "text_encoder").glob("*.safetensors"))),
        n_threads=options.threads,
    )
    params.enable_mmap = options.weights == "bf16"
    params.diffusion_flash_attn = True
    if options.weights != "bf16":
        params.wtype = SDType[options.weights.upper()]
    print(" ".join(get_system_info().split()))
    lap("files")
    model = SDContext(params)
    lap("loaded")
    frames = model.generate_video(
        "a dog runs on the beach", width=options.size, height=options.size, video_frames=options.frames, sample_steps=options.steps,
        cfg_scale=1, sample_method=SampleMethod.EULER, seed=1,
    )
    lap("the rest")
    assert len(frames) == options.frames, f"{len(frames)} frames"
    print(f"at most {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9:.2f} GB")


main()
