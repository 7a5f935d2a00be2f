"""Makes the golden LoRA: trained weights as PEFT saves them, with the outputs that they give in diffusers.

    python test/golden/make_lora_golden.py            writes lora-peft.safetensors and lora.safetensors
    python test/golden/make_lora_golden.py written    loads what Motif writes in each dialect through diffusers' and PEFT's own loader

Needs torch, diffusers, peft, safetensors, and test/golden/model; no network. The tests need none of it.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from diffusers import WanPipeline, WanTransformer3DModel
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ffn.net.0.proj", "ffn.net.2"]


def pipeline():
    transformer = WanTransformer3DModel.from_pretrained(HERE / "model" / "transformer")
    return WanPipeline(tokenizer=None, text_encoder=None, vae=None, scheduler=None, transformer=transformer)


@torch.no_grad()
def output(pipe, case):
    return pipe.transformer(case["latents"], case["timestep"], case["text"], return_dict=False)[0]


@torch.no_grad()
def main():
    pipe = pipeline()
    # Ranks and alphas that differ between layers, and an alpha that is not the rank.
    config = LoraConfig(
        r=3, lora_alpha=6, target_modules=TARGETS, init_lora_weights=False, rank_pattern={"attn2.to_k": 2}, alpha_pattern={"ffn.net.2": 1.5}
    )
    generator = torch.Generator().manual_seed(5)
    pipe.transformer.add_adapter(config)
    for name, value in pipe.transformer.named_parameters():
        if "lora_" in name:
            value.copy_(0.3 * torch.randn(value.shape, generator=generator))
    state = convert_state_dict_to_diffusers(get_peft_model_state_dict(pipe.transformer))
    metadata = {"transformer_lora_adapter_metadata": pipe.transformer.peft_config["default"].to_dict()}
    WanPipeline.save_lora_weights(HERE, transformer_lora_layers=state, weight_name="lora-peft.safetensors", **metadata)
    case = load_file(HERE / "transformer.safetensors")
    case["flow"] = output(pipe, case)
    save_file({key: case[key].contiguous() for key in ("latents", "text", "timestep", "flow")}, HERE / "lora.safetensors")


def written():
    """Lets the golden test write its files, then loads each here: the outputs must be those of the LoRA that PEFT saved."""
    case = load_file(HERE / "lora.safetensors")
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "MOTIF_GOLDEN_WRITE": folder}
        subprocess.run(["npx", "vitest", "run", "test/golden/lora.test.ts"], check=False, env=environment, cwd=HERE.parents[1])
        for path in sorted(Path(folder).glob("*.safetensors")):
            pipe = pipeline()
            pipe.load_lora_weights(folder, weight_name=path.name)
            error = (output(pipe, case) - case["flow"]).abs().max() / case["flow"].abs().max()
            results[path.stem] = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "relativeError": error.item()}
    (HERE / "lora-written.json").write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    written() if sys.argv[1:] == ["written"] else main()
