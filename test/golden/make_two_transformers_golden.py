"""Makes the golden tensors of a model with two transformers (Wan 2.2), sampled by diffusers' own pipeline.

    python test/golden/make_two_transformers_golden.py     writes test/golden/two/*

Its other parts are those of test/golden/model. Needs what make_golden.py needs; the tests need none of it.
"""

import shutil
from pathlib import Path

import torch
from diffusers import UniPCMultistepScheduler, WanPipeline
from make_golden import PROMPTS, TEXT_TOKENS, random, transformer
from safetensors.torch import save_file

HERE = Path(__file__).parent
OUT = HERE / "two"


@torch.no_grad()
def main():
    torch.set_num_threads(2)
    shutil.rmtree(OUT, ignore_errors=True)
    small = dict(num_layers=1, attention_head_dim=12, ffn_dim=32)
    high, low = transformer(91, **small), transformer(92, **small)
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    pipeline = WanPipeline.from_pretrained(
        HERE / "model", transformer=high, transformer_2=low, boundary_ratio=0.7, scheduler=scheduler
    )
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(OUT)
    for part in ("vae", "text_encoder", "tokenizer", "scheduler"):
        shutil.rmtree(OUT / part)
    latents = random(93, 1, 4, 3, 2, 4)
    by = []
    for model, name in ((high, "high"), (low, "low")):
        model.register_forward_pre_hook(lambda *_, name=name: by.append(name))
    result = pipeline(
        prompt=PROMPTS[0], negative_prompt="a cat", height=16, width=32, num_frames=9, num_inference_steps=6, guidance_scale=3.0,
        latents=latents.clone(), max_sequence_length=TEXT_TOKENS, output_type="latent",
    ).frames
    print(by)
    calls = torch.tensor([by.count("high") / 2, by.count("low") / 2])
    save_file({"latents": latents, "result": result.contiguous(), "steps": calls}, OUT / "sampled.safetensors")


if __name__ == "__main__":
    main()
