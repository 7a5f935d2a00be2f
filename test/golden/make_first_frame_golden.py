"""Makes the golden tensors of a clip that goes on from a given first frame, as Wan 2.2 TI2V does (`expand_timesteps`), by diffusers' pipeline.

    python test/golden/make_first_frame_golden.py     writes test/golden/first-frame.safetensors

The model is test/golden/model. Needs what make_golden.py needs, and Pillow; the tests need none of it.
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import UniPCMultistepScheduler, WanImageToVideoPipeline
from make_golden import PROMPTS, TEXT_TOKENS, random, save_case
from PIL import Image
from diffusers import WanPipeline

HERE = Path(__file__).parent


@torch.no_grad()
def main():
    torch.set_num_threads(2)
    parts = WanPipeline.from_pretrained(HERE / "model")
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    pipeline = WanImageToVideoPipeline(
        tokenizer=parts.tokenizer, text_encoder=parts.text_encoder, vae=parts.vae, scheduler=scheduler, transformer=parts.transformer,
        image_processor=None, image_encoder=None, expand_timesteps=True,
    )
    pipeline.set_progress_bar_config(disable=True)
    picture = np.random.default_rng(1).integers(0, 256, (16, 32, 3), dtype=np.uint8)
    latents = random(95, 1, 4, 3, 2, 4)
    result = pipeline(
        image=Image.fromarray(picture), prompt=PROMPTS[0], negative_prompt="a cat", height=16, width=32, num_frames=9, num_inference_steps=4,
        guidance_scale=3.0, latents=latents.clone(), max_sequence_length=TEXT_TOKENS, output_type="latent",
    ).frames
    save_case("first-frame", {"picture": torch.from_numpy(picture).float(), "latents": latents, "result": result})


if __name__ == "__main__":
    main()
