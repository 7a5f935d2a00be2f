"""Makes the golden tensors: tiny random Wan models, saved by diffusers and transformers, with inputs and outputs.

    python test/golden/make_golden.py            writes test/golden/{model,self,residual,patches}/ and *.safetensors
    python test/golden/make_golden.py written    loads a directory that Motif wrote in Python and compares every tensor

Needs torch, diffusers, transformers, tokenizers, safetensors; no network. The tests need none of it.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from diffusers import (
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    UniPCMultistepScheduler,
    WanPipeline,
    WanTransformer3DModel,
)
from safetensors.torch import save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

HERE = Path(__file__).parent
PROMPTS = [
    "a dog runs on the beach",
    "",
    "A [v] person in a blue jacket is dancing in [u] motion, as the camera zooms in",
    "un garçon — 漢字 🙂 in the snow, far away from the city at night, with a red umbrella and a yellow hat and a flower",
    "  two   spaces\tand a tab ",
]
TEXT_TOKENS = 24


def randomise(module, seed, scale=0.15):
    """Random values everywhere, so that no norm, bias or table is left at one or zero."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in module.named_parameters():
            noise = torch.randn(value.shape, generator=generator)
            if value.ndim >= 2 and "table" not in name and "gamma" not in name:
                fan_in = value[0].numel()
                value.copy_(noise * fan_in**-0.5)
            else:
                base = 1.0 if ("norm" in name or "gamma" in name) and "bias" not in name else 0.0
                value.copy_(base + scale * noise)
    return module.eval().float()


def random(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def tokenizer():
    """A tiny Unigram tokenizer with byte fallback and added tokens, its end token appended to every text."""
    words = Tokenizer(models.Unigram())
    words.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(__import__("tokenizers").Regex(" {2,}"), " ")])
    words.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    words.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    corpus = [
        "a dog runs on the beach", "a person in a blue jacket is dancing", "the camera zooms in",
        "a cat sleeps in the snow at night", "a red umbrella and a yellow hat", "motion in the city",
    ] * 20
    trainer = trainers.UnigramTrainer(vocab_size=90, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>")
    words.train_from_iterator(corpus, trainer)
    state = json.loads(words.to_str())
    vocabulary = state["model"]["vocab"]
    specials = vocabulary[:3]
    bytes_ = [[f"<0x{byte:02X}>", -12.0] for byte in range(256)]
    state["model"]["vocab"] = specials + bytes_ + vocabulary[3:]
    state["model"]["unk_id"] = 2
    state["model"]["byte_fallback"] = True
    state["added_tokens"] = [
        {"id": i, "content": t[0], "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for i, t in enumerate(specials)
    ]
    words = Tokenizer.from_str(json.dumps(state))
    words.add_tokens([AddedToken("[v]", normalized=False), AddedToken("[u]", normalized=False)])
    words.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", words.token_to_id("</s>"))]
    )
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>")


def text_encoder(vocabulary):
    config = UMT5Config(
        vocab_size=vocabulary, d_model=24, d_kv=8, d_ff=40, num_layers=3, num_heads=3, relative_attention_num_buckets=8,
        relative_attention_max_distance=20, feed_forward_proj="gated-gelu", is_encoder_decoder=False, use_cache=False,
    )
    return randomise(UMT5EncoderModel(config), 11)


def transformer(seed, **changes):
    config = dict(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=20, in_channels=4, out_channels=4, text_dim=24,
        freq_dim=32, ffn_dim=56, num_layers=2, cross_attn_norm=True, eps=1e-6, rope_max_seq_len=64,
    )
    return randomise(WanTransformer3DModel(**{**config, **changes}), seed)


def autoencoder(seed, **changes):
    statistics = dict(latents_mean=[0.1, -0.2, 0.05, 0.3], latents_std=[0.9, 1.1, 1.3, 0.8])
    config = dict(z_dim=4, num_res_blocks=1, **statistics)
    return randomise(AutoencoderKLWan(**{**config, **changes}), seed)


def save_case(name, tensors):
    save_file({key: value.detach().contiguous() for key, value in tensors.items()}, HERE / f"{name}.safetensors")


@torch.no_grad()
def transformer_case(name, model, shape, times, seed):
    latents, text = random(seed, *shape), random(seed + 1, shape[0], TEXT_TOKENS, 24)
    text[:, 17:] = 0
    timestep = torch.tensor(times)
    flow = model(latents, timestep, text, return_dict=False)[0]
    save_case(name, {"latents": latents, "text": text, "timestep": timestep.float(), "flow": flow})


@torch.no_grad()
def autoencoder_case(name, model, frames, height, width, seed):
    video = torch.tanh(random(seed, 1, 3, frames, height, width))
    parameters = model.encode(video).latent_dist.parameters
    latents = random(seed + 1, *model.encode(video).latent_dist.mode().shape)
    save_case(name, {"video": video, "posterior": parameters, "latents": latents, "decoded": model.decode(latents).sample})


def schedulers():
    """Sigmas, timesteps and samples of whole trajectories under a fixed, nonlinear flow."""
    cases = {
        "unipc": UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
        "unipc-order3": UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0, solver_order=3
        ),
        "unipc-sigma-min": UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=1.0, final_sigmas_type="sigma_min",
            solver_type="bh1", lower_order_final=False, disable_corrector=[1],
        ),
        "euler": FlowMatchEulerDiscreteScheduler(shift=3.0),
        "euler-unshifted": FlowMatchEulerDiscreteScheduler(shift=1.0),
    }
    tensors, configs = {}, {}
    for name, scheduler in cases.items():
        configs[name] = {key: value for key, value in scheduler.config.items() if not key.startswith("_")}
        configs[name]["_class_name"] = type(scheduler).__name__
        for steps in (1, 2, 5, 12):
            scheduler.set_timesteps(steps)
            sample = random(3, 1, 2, 3)
            trajectory = [sample]
            for t in scheduler.timesteps:
                flow = torch.sin(2 * sample) + 0.001 * t.float()
                sample = scheduler.step(flow, t, sample, return_dict=False)[0]
                trajectory.append(sample)
            tensors[f"{name}.{steps}.sigmas"] = scheduler.sigmas.clone()
            tensors[f"{name}.{steps}.timesteps"] = scheduler.timesteps.float()
            tensors[f"{name}.{steps}.trajectory"] = torch.stack(trajectory)
    save_case("schedulers", tensors)
    (HERE / "schedulers.json").write_text(json.dumps(configs, indent=1))


@torch.no_grad()
def text_case(words, encoder):
    inputs = words(
        PROMPTS, padding="max_length", max_length=TEXT_TOKENS, truncation=True, return_attention_mask=True, return_tensors="pt"
    )
    hidden = encoder(inputs.input_ids, inputs.attention_mask).last_hidden_state
    zeroed = hidden * inputs.attention_mask[..., None]
    save_case("text", {"ids": inputs.input_ids, "mask": inputs.attention_mask, "embeddings": zeroed})
    (HERE / "text.json").write_text(json.dumps({"prompts": PROMPTS, "tokens": TEXT_TOKENS}, indent=1, ensure_ascii=False))


@torch.no_grad()
def pipeline_case(pipeline):
    """From prompt and latents to frames, with guidance, by diffusers' own pipeline."""
    latents = random(41, 1, 4, 3, 2, 4)
    tensors = {"latents": latents}
    for name, scheduler in (
        ("unipc", UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)),
        ("euler", FlowMatchEulerDiscreteScheduler(shift=3.0)),
    ):
        pipeline.scheduler = scheduler
        common = dict(
            prompt=PROMPTS[0], negative_prompt="a cat", height=16, width=32, num_frames=9, num_inference_steps=4, guidance_scale=3.0,
            latents=latents.clone(), max_sequence_length=TEXT_TOKENS,
        )
        tensors[f"{name}.latents"] = pipeline(**common, output_type="latent").frames
        tensors[f"{name}.frames"] = torch.from_numpy(pipeline(**common, output_type="np").frames)  # [1, frames, h, w, 3]
    save_case("pipeline", tensors)


@torch.no_grad()
def self_conditioning_case(model):
    """The same sampling with in_channels = 2 z: the guided clean prediction of each step is fed into the next one."""
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    scheduler.set_timesteps(4)
    sample, text = random(51, 1, 4, 2, 4, 6), random(52, 2, TEXT_TOKENS, 24)
    latents, previous = sample.clone(), torch.zeros_like(sample)
    for index, t in enumerate(scheduler.timesteps):
        both = torch.cat([torch.cat([sample, previous], 1)] * 2)
        conditional, unconditional = model(both, t.expand(2), text, return_dict=False)[0].chunk(2)
        flow = unconditional + 3.0 * (conditional - unconditional)
        previous = sample - scheduler.sigmas[index] * flow
        sample = scheduler.step(flow, t, sample, return_dict=False)[0]
    save_case("self-conditioning", {"latents": latents, "text": text, "result": sample})


def main():
    torch.manual_seed(0)
    torch.set_num_threads(2)
    for folder in ("model", "self", "patches", "residual"):
        shutil.rmtree(HERE / folder, ignore_errors=True)
    words = tokenizer()
    encoder = text_encoder(len(words))
    model = transformer(21)
    wan21 = autoencoder(31, base_dim=4, dim_mult=[1, 2, 2, 2], temperal_downsample=[False, True, True])
    scheduler = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)
    pipeline = WanPipeline(tokenizer=words, text_encoder=encoder, vae=wan21, scheduler=scheduler, transformer=model)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.save_pretrained(HERE / "model")

    self_conditioned = transformer(22, in_channels=8, num_layers=1)
    self_conditioned.save_pretrained(HERE / "self", max_shard_size="40KB")
    patches = transformer(23, patch_size=(2, 2, 1), num_layers=1, cross_attn_norm=False, attention_head_dim=14)
    patches.save_pretrained(HERE / "patches")
    wan22 = autoencoder(
        32, base_dim=4, decoder_base_dim=6, dim_mult=[1, 2, 2], temperal_downsample=[True, True], is_residual=True, patch_size=2,
        in_channels=12, out_channels=12,
    )
    wan22.save_pretrained(HERE / "residual")

    transformer_case("transformer", model, (2, 4, 3, 6, 10), [937, 12], 61)
    transformer_case("transformer-one-frame", model, (1, 4, 1, 4, 6), [500], 63)
    transformer_case("transformer-self", self_conditioned, (1, 8, 5, 2, 6), [250], 65)
    transformer_case("transformer-patches", patches, (1, 4, 4, 6, 3), [777], 67)
    for name, vae in (("wan21", wan21), ("wan22", wan22)):
        autoencoder_case(f"{name}-1", vae, 1, 16, 24, 71)
        autoencoder_case(f"{name}-17", vae, 17, 8, 16, 73)
    text_case(words, encoder)
    schedulers()
    pipeline_case(pipeline)
    self_conditioning_case(self_conditioned)
    total = sum(path.stat().st_size for path in HERE.rglob("*") if path.is_file())
    print(f"{total / 1e6:.2f} MB")


def written():
    """Lets the golden test write its model directory, then loads it here: every tensor must be the one that Python wrote."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "MOTIF_GOLDEN_WRITE": folder}
        subprocess.run(["npx", "vitest", "run", "test/golden/directory.test.ts", "-t", "directory that we write holds"], check=True, env=environment, cwd=HERE.parents[1])
        ours = WanPipeline.from_pretrained(Path(folder) / "model")
        theirs = WanPipeline.from_pretrained(HERE / "model")
        compared, largest = 0, 0.0
        for part in ("transformer", "vae", "text_encoder"):
            mine, other = getattr(ours, part).state_dict(), getattr(theirs, part).state_dict()
            assert mine.keys() == other.keys(), part
            for name in mine:
                compared += 1
                largest = max(largest, (mine[name] - other[name]).abs().max().item())
        assert ours.tokenizer(PROMPTS)["input_ids"] == theirs.tokenizer(PROMPTS)["input_ids"]
        assert ours.scheduler.config == theirs.scheduler.config
        result = {"loadedBy": f"diffusers {__import__('diffusers').__version__}", "tensors": compared, "largestDifference": largest}
        (HERE / "written.json").write_text(json.dumps(result, indent=1) + "\n")
        print(result)


if __name__ == "__main__":
    written() if sys.argv[1:] == ["written"] else main()
