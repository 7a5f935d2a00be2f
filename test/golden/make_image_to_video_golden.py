"""Makes the golden tensors of models for image to video, sampled by diffusers' own pipeline: Wan 2.1's, which reads the picture by CLIP too,
and Wan 2.2's pair of transformers, which has it beside the noisy latents alone.

    python test/golden/make_image_to_video_golden.py     writes test/golden/image/* and test/golden/image-pair/*

Their other parts are those of test/golden/model. Needs what make_golden.py needs, and Pillow; the tests need none of it.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler, WanImageToVideoPipeline, WanPipeline
from make_golden import PROMPTS, random, randomise, transformer
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

HERE = Path(__file__).parent
# The mask has as many channels as a latent frame has frames, and the picture's latents those of the clip.
SMALL = dict(num_layers=1, attention_head_dim=12, ffn_dim=32, in_channels=12)


def image_encoder():
    # As Wan's, by GELU; odd sides, so that columns and rows of patches are left over.
    config = CLIPVisionConfig(
        hidden_size=18, intermediate_size=28, num_hidden_layers=3, num_attention_heads=3, image_size=20, patch_size=6, hidden_act="gelu",
        projection_dim=8,
    )
    return randomise(CLIPVisionModel(config), 101)


def picture():
    """Soft shapes, as photographs have them, that are neither as wide as they are high nor of the encoder's size."""
    rows, columns = np.mgrid[0:16, 0:32]
    waves = [np.sin(rows / 3 + columns / 5 + 2 * channel) + np.cos(columns / 4 - channel) for channel in range(3)]
    return np.clip(127 + 60 * np.stack(waves, axis=2), 0, 255).astype(np.uint8)


@torch.no_grad()
def case(name, parts, **components):
    out = HERE / name
    shutil.rmtree(out, ignore_errors=True)
    pipeline = WanImageToVideoPipeline(
        tokenizer=parts.tokenizer, text_encoder=parts.text_encoder, vae=parts.vae,
        scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0), **components,
    )
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(out)
    for part in ("vae", "text_encoder", "tokenizer", "scheduler"):
        shutil.rmtree(out / part)
    image, latents = Image.fromarray(picture()), random(105, 1, 4, 3, 2, 4)
    # diffusers takes the last 512 tokens for text, whatever it was asked for.
    result = pipeline(
        image=image, prompt=PROMPTS[0], negative_prompt="a cat", height=16, width=32, num_frames=9, num_inference_steps=4,
        guidance_scale=3.0, latents=latents.clone(), max_sequence_length=512, output_type="latent",
    ).frames
    tensors = {"picture": torch.from_numpy(picture()).float(), "latents": latents, "result": result}
    _, condition = pipeline.prepare_latents(
        pipeline.video_processor.preprocess(image, height=16, width=32), 1, 4, 16, 32, 9, torch.float32, "cpu", None, latents
    )
    tensors["beside"] = condition
    if pipeline.image_encoder is not None:
        tensors["pixels"] = torch.as_tensor(pipeline.image_processor(images=image, return_tensors="pt").pixel_values)
        tensors["image"] = pipeline.encode_image(image, "cpu")
    save_file({key: value.contiguous() for key, value in tensors.items()}, out / "sampled.safetensors")
    print(name, json.loads((out / "model_index.json").read_text())["_class_name"], float(result.std()))


def main():
    torch.set_num_threads(2)
    parts = WanPipeline.from_pretrained(HERE / "model")
    processor = CLIPImageProcessor(size={"shortest_edge": 20}, crop_size={"height": 20, "width": 20})
    case(
        "image", parts, image_encoder=image_encoder(), image_processor=processor,
        transformer=transformer(102, **SMALL, image_dim=18, added_kv_proj_dim=24),
    )
    case(
        "image-pair", parts, image_encoder=None, image_processor=None, transformer=transformer(103, **SMALL),
        transformer_2=transformer(104, **SMALL), boundary_ratio=0.7,
    )


if __name__ == "__main__":
    main()
