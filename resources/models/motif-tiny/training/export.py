"""Writes the model folder in diffusers' Wan layout, float16, from the newest checkpoints there are.

    python export.py [--autoencoder v1] [--transformer v1]

A part without a checkpoint is written with its initial weights, so that the folder always has its final shape.
"""

import argparse
import json
import shutil

import torch
from diffusers import UniPCMultistepScheduler

import data
from autoencoder import build, load
from networks import TEXT_TOKENS, build_text_encoder, build_transformer
from transformer import start_weights

MOTIF = {
    "version": 1,
    "frameRate": data.FRAME_RATE,
    "frames": data.FRAMES,
    "sizes": [{"width": width, "height": height} for height, width in data.SIZES],
    "maxTextTokens": TEXT_TOKENS,
    "textPadding": "zeros: embeddings after the prompt's </s> are zero up to maxTextTokens; the transformer attends to all of them",
    "emptyPrompt": "the tokens of the empty text, which are </s> alone",
    "captionParts": {"order": ["static", "dynamic"], "separator": " "},
    "conceptTokens": {"identity": ["[v]"] + [f"[v{i}]" for i in range(1, 9)], "motion": ["[u]"] + [f"[u{i}]" for i in range(1, 9)]},
    "selfConditioning": {
        "prediction": "x0",
        "channels": "noisy latents, then as many of the previous step's x0 = x - sigma * velocity, in normalised latents",
        "none": "zeros, at the first step",
        "guidance": "x0 of the guided velocity; the same for the conditional and the unconditional pass",
        "trainingProbability": 0.5,
    },
    "prediction": "velocity = noise - x0; x = (1 - sigma) * x0 + sigma * noise; timestep = 1000 * sigma",
    "latents": "normalised = (mean - latents_mean) / latents_std, of the posterior's mean",
    "sampling": {"steps": 20, "guidance": 4.0, "flowShift": 2.0},
}


def half(model):
    """To float16, refusing values that it cannot hold."""
    for name, value in model.state_dict().items():
        assert value.abs().max() < 60000 and torch.isfinite(value).all(), name
    return model.half()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--autoencoder", default="v1")
    parser.add_argument("--latents", help="name of the autoencoder whose latents' statistics hold, if its decoder was trained on under another name")
    parser.add_argument("--transformer", default="v1")
    parser.add_argument("--world-edition", type=int, default=2, help="of the shards that it was trained on")
    parser.add_argument("--steps", type=int, default=MOTIF["sampling"]["steps"])
    parser.add_argument("--guidance", type=float, default=MOTIF["sampling"]["guidance"])
    parser.add_argument("--shift", type=float, default=MOTIF["sampling"]["flowShift"])
    options = parser.parse_args()
    torch.manual_seed(0)
    folder = data.MODEL
    new = data.CACHE / "export"
    shutil.rmtree(new, ignore_errors=True)

    trained = lambda kind, name: name == "exported" or (data.CACHE / f"{kind}-{name}" / "state.pt").exists()
    vae = load(options.autoencoder) if trained("autoencoder", options.autoencoder) else build()
    statistics = data.CACHE / f"latents-{options.latents or options.autoencoder}" / "statistics.json"
    if statistics.exists():
        vae.register_to_config(**json.loads(statistics.read_text()))
    half(vae).save_pretrained(new / "vae")

    channels = vae.config.z_dim
    transformer, text_encoder = build_transformer(channels), build_text_encoder()
    if trained("transformer", options.transformer):
        weights = start_weights(options.transformer)
        transformer.load_state_dict(weights["transformer"])
        text_encoder.load_state_dict(weights["text_encoder"])
    half(transformer).save_pretrained(new / "transformer")
    half(text_encoder).save_pretrained(new / "text_encoder")

    UniPCMultistepScheduler(
        num_train_timesteps=1000, prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=options.shift, solver_order=2, solver_type="bh2"
    ).save_pretrained(new / "scheduler")
    index = {
        "_class_name": "WanPipeline",
        "_diffusers_version": "0.42.1",
        "boundary_ratio": None,
        "expand_timesteps": False,
        "scheduler": ["diffusers", "UniPCMultistepScheduler"],
        "text_encoder": ["transformers", "UMT5EncoderModel"],
        "tokenizer": ["transformers", "PreTrainedTokenizerFast"],
        "transformer": ["diffusers", "WanTransformer3DModel"],
        "transformer_2": [None, None],
        "vae": ["diffusers", "AutoencoderKLWan"],
    }
    (new / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    motif = {**MOTIF, "worldEdition": options.world_edition, "sampling": {"steps": options.steps, "guidance": options.guidance, "flowShift": options.shift}}
    (new / "motif.json").write_text(json.dumps(motif, indent=2) + "\n")
    for path in sorted(new.rglob("*")):
        if path.is_file():
            target = folder / path.relative_to(new)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.replace(target)
            target.chmod(0o644)
    total = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and "training" not in p.relative_to(folder).parts)
    count = lambda model: sum(p.numel() for p in model.parameters())
    print(f"{total / 1e6:.1f} MB; parameters: autoencoder {count(vae):,}, transformer {count(transformer):,}, text encoder {count(text_encoder):,}")


if __name__ == "__main__":
    main()
