"""Makes tiny checkpoints as single files, in the ways in which people keep Wan's: Wan's own names, ComfyUI's float8, PyTorch archives, GGUF.

    python test/golden/make_checkpoint_files.py            writes test/golden/files/*

`files.json` holds, for each file, a hash of the shape of every tensor and of its values as float32, as PyTorch or the `gguf` package decode
them, by diffusers' or transformers' name. Where diffusers has a converter, the names are held against it.
Needs torch, diffusers, transformers, safetensors, gguf, sentencepiece; no network. The tests need none of it.
"""

import hashlib
import io
import json
import re
import shutil
from pathlib import Path

import gguf
import numpy as np
import sentencepiece
import torch
from diffusers import AutoencoderKLWan
from diffusers.loaders.single_file_utils import convert_wan_transformer_to_diffusers, convert_wan_vae_to_diffusers
from gguf import GGMLQuantizationType as Type
from make_golden import PROMPTS, randomise, transformer
from safetensors.torch import save_file
from transformers import UMT5Config, UMT5EncoderModel

OUT = Path(__file__).parent / "files"
FILES = {}


def digest(value):
    values = value.detach().float().contiguous().numpy().astype("<f4")
    return hashlib.sha256(json.dumps(list(value.shape)).encode() + values.tobytes()).hexdigest()[:12]


def record(name, tensors):
    """`tensors`: by diffusers' names, as they come out of the file."""
    FILES[name] = {key: digest(value) for key, value in tensors.items()}


def wan_name(name):
    """A transformer's tensor by the name in Wan's code."""
    table = {
        "condition_embedder.time_embedder.linear_1": "time_embedding.0",
        "condition_embedder.time_embedder.linear_2": "time_embedding.2",
        "condition_embedder.text_embedder.linear_1": "text_embedding.0",
        "condition_embedder.text_embedder.linear_2": "text_embedding.2",
        "condition_embedder.time_proj": "time_projection.1",
        "proj_out": "head.head",
        "attn1": "self_attn",
        "attn2": "cross_attn",
        "to_out.0": "o",
        "to_q": "q",
        "to_k": "k",
        "to_v": "v",
        "ffn.net.0.proj": "ffn.0",
        "ffn.net.2": "ffn.2",
        ".norm2.": ".norm3.",
    }
    if name == "scale_shift_table":
        return "head.modulation"
    name = name.replace("scale_shift_table", "modulation")
    for old, new in table.items():
        name = name.replace(old, new)
    return name


def vae_name(name, nested):
    """An autoencoder's tensor by the name in Wan's code; two residual blocks a stage in the encoder, three in the decoder."""
    for old, new in {
        "norm1": "residual.0", "conv1": "residual.2", "norm2": "residual.3", "conv2": "residual.6", "conv_shortcut": "shortcut",
        "conv_in": "conv1", "norm_out": "head.0", "conv_out": "head.2", "mid_block.resnets.0": "middle.0", "mid_block.resnets.1": "middle.2",
        "mid_block.attentions.0": "middle.1",
    }.items():
        name = re.sub(rf"(?<=\.){re.escape(old)}(?=\.)", new, name)
    name = name.replace("post_quant_conv", "conv2").replace("quant_conv", "conv1")
    if nested:
        name = re.sub(r"down_blocks\.(\d)\.resnets\.(\d)", r"downsamples.\1.downsamples.\2", name)
        name = re.sub(r"down_blocks\.(\d)\.downsampler", r"downsamples.\1.downsamples.2", name)
        name = re.sub(r"up_blocks\.(\d)\.resnets\.(\d)", r"upsamples.\1.upsamples.\2", name)
        return re.sub(r"up_blocks\.(\d)\.upsampler", r"upsamples.\1.upsamples.3", name)
    name = name.replace("down_blocks", "downsamples")
    name = re.sub(r"up_blocks\.(\d)\.resnets\.(\d)", lambda m: f"upsamples.{4 * int(m[1]) + int(m[2])}", name)
    return re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda m: f"upsamples.{4 * int(m[1]) + 3}", name)


def text_name(name, dialect):
    """A text encoder's tensor by the name in Wan's code or in llama.cpp's."""
    wan = {
        "shared": "token_embedding", "encoder.final_layer_norm": "norm", "layer.0.layer_norm": "norm1", "layer.0.SelfAttention.relative_attention_bias":
        "pos_embedding.embedding", "layer.0.SelfAttention.": "attn.", "layer.1.layer_norm": "norm2", "layer.1.DenseReluDense.wi_0": "ffn.gate.0",
        "layer.1.DenseReluDense.wi_1": "ffn.fc1", "layer.1.DenseReluDense.wo": "ffn.fc2", "encoder.block": "blocks",
    }
    llama = {
        "shared": "token_embd", "encoder.final_layer_norm": "enc.output_norm", "layer.0.layer_norm": "attn_norm",
        "layer.0.SelfAttention.relative_attention_bias": "attn_rel_b", "layer.0.SelfAttention.": "attn_", "layer.1.layer_norm": "ffn_norm",
        "layer.1.DenseReluDense.wi_0": "ffn_gate", "layer.1.DenseReluDense.wi_1": "ffn_up", "layer.1.DenseReluDense.wo": "ffn_down",
        "encoder.block": "enc.blk",
    }
    for old, new in (wan if dialect == "wan" else llama).items():
        name = name.replace(old, new)
    return name


def transformers_in_files(state):
    ours = {wan_name(name): value for name, value in state.items()}
    assert convert_wan_transformer_to_diffusers(dict(ours)).keys() == state.keys()

    half = {name: value.half() for name, value in state.items()}
    save_file({wan_name(name): value for name, value in half.items()}, OUT / "wan_fp16.safetensors")
    record("wan_fp16.safetensors", half)

    brain = {name: value.bfloat16() for name, value in state.items()}
    save_file({f"model.diffusion_model.{wan_name(name)}": value for name, value in brain.items()}, OUT / "wan_bf16.safetensors")
    record("wan_bf16.safetensors", brain)

    is_layer = lambda name: re.search(r"blocks\.\d+\..*(to_|ffn).*weight", name)
    for kind in ("float8_e4m3fn", "float8_e5m2"):
        eight = {name: value.to(getattr(torch, kind)) if is_layer(name) else value.half() for name, value in state.items()}
        save_file({wan_name(name): value for name, value in eight.items()}, OUT / f"wan_{kind}.safetensors")
        record(f"wan_{kind}.safetensors", eight)

    for now in (False, True):
        stored, read = {}, {}
        for name, value in state.items():
            if not is_layer(name):
                stored[wan_name(name)] = read[name] = value.half()
                continue
            scale = value.abs().max() / torch.finfo(torch.float8_e4m3fn).max
            quants = (value / scale).to(torch.float8_e4m3fn)
            layer = wan_name(name).removesuffix(".weight")
            stored[f"{layer}.weight"] = quants
            read[name] = quants.float() * scale
            if now:
                stored[f"{layer}.weight_scale"] = scale
                stored[f"{layer}.input_scale"] = torch.tensor(1.0)
                stored[f"{layer}.comfy_quant"] = torch.tensor(list(b'{"format": "float8_e4m3fn"}'), dtype=torch.uint8)
            else:
                stored[f"{layer}.scale_weight"] = scale[None]
                stored[f"{layer}.scale_input"] = torch.tensor([1.0])
        if not now:
            stored["scaled_fp8"] = torch.zeros(2).to(torch.float8_e4m3fn)
        name = f"wan_fp8_{'comfy_quant' if now else 'scaled'}.safetensors"
        save_file(stored, OUT / name)
        record(name, read)

    writer = gguf.GGUFWriter(OUT / "wan_q8_0.gguf", "wan")
    read = {}
    for name, value in state.items():
        array, original = value.numpy(), wan_name(name)
        kind = Type.Q8_0 if is_layer(name) else Type.F32 if value.ndim < 2 else Type.F16
        if original == "patch_embedding.weight":  # more axes than the format has
            writer.add_array(f"comfy.gguf.orig_shape.{original}", [int(length) for length in array.shape])
            array = array.reshape(array.shape[0], -1)
        packed = gguf.quants.quantize(array, kind)
        writer.add_tensor(original, packed, raw_dtype=kind)
        read[name] = torch.from_numpy(gguf.quants.dequantize(packed, kind).reshape(value.shape).copy())
    finish(writer)
    record("wan_q8_0.gguf", read)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def autoencoders_in_files():
    common = dict(base_dim=1, dim_mult=[1, 2, 4, 4], num_res_blocks=2)
    first = randomise(AutoencoderKLWan(z_dim=16, temperal_downsample=[False, True, True], **common), 81).state_dict()
    ours = {vae_name(name, False): value for name, value in first.items()}
    theirs = convert_wan_vae_to_diffusers(dict(ours))
    assert theirs.keys() == first.keys() and all(theirs[name] is ours[vae_name(name, False)] for name in first)
    torch.save(ours, OUT / "Wan2.1_VAE.pth")
    record("Wan2.1_VAE.pth", first)
    brain = {name: value.bfloat16() for name, value in first.items()}
    save_file({vae_name(name, False): value for name, value in brain.items()}, OUT / "wan_2.1_vae.safetensors")
    record("wan_2.1_vae.safetensors", brain)

    # As the published one (AutoencoderKLWan of Wan-AI/Wan2.2-TI2V-5B-Diffusers), but narrower.
    second = AutoencoderKLWan(
        z_dim=48, decoder_base_dim=2, temperal_downsample=[False, True, True], is_residual=True, patch_size=2, in_channels=12,
        out_channels=12, scale_factor_spatial=16, latents_mean=[0.0] * 48, latents_std=[1.0] * 48, **common,
    )
    state = {name: value.half() for name, value in randomise(second, 82).state_dict().items()}
    save_file({vae_name(name, True): value for name, value in state.items()}, OUT / "wan2.2_vae.safetensors")
    record("wan2.2_vae.safetensors", state)
    FILES["vaes"] = {"Wan2.1_VAE.pth": dict(z_dim=16, temperal_downsample=[False, True, True], patch_size=None, **common)}
    FILES["vaes"]["wan2.2_vae.safetensors"] = {
        key: second.config[key]
        for key in ("z_dim", "base_dim", "decoder_base_dim", "dim_mult", "num_res_blocks", "temperal_downsample", "is_residual", "patch_size",
                    "in_channels", "out_channels", "scale_factor_spatial")
    }


def sentences():
    """A tiny SentencePiece model with T5's special tokens, and its reading of the prompts."""
    corpus = [
        "a dog runs on the beach", "a person in a blue jacket is dancing", "the camera zooms in", "a cat sleeps in the snow at night",
        "a red umbrella and a yellow hat", "motion in the city", "un garçon loin de la ville",
    ]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus * 20), model_writer=model, vocab_size=330, model_type="unigram", byte_fallback=True, pad_id=0,
        eos_id=1, bos_id=2, unk_id=3, normalization_rule_name="identity", minloglevel=2, hard_vocab_limit=False,
    )
    words = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    prompts = [" ".join(prompt.split()) for prompt in PROMPTS]
    FILES["sentences"] = {"prompts": prompts, "ids": [words.encode(prompt) + [words.eos_id()] for prompt in prompts]}
    return model.getvalue(), words


def text_encoders_in_files():
    model, words = sentences()
    config = UMT5Config(
        vocab_size=384, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=3, relative_attention_num_buckets=8,
        relative_attention_max_distance=128, feed_forward_proj="gated-gelu", is_encoder_decoder=False, use_cache=False,
    )
    state = {name: value for name, value in randomise(UMT5EncoderModel(config), 12).state_dict().items() if "embed_tokens" not in name}
    spiece = torch.frombuffer(bytearray(model), dtype=torch.uint8)

    half = {name: value.half() for name, value in state.items()}
    save_file({**half, "spiece_model": spiece}, OUT / "umt5_fp16.safetensors")
    record("umt5_fp16.safetensors", half)

    stored, read = {"spiece_model": spiece, "scaled_fp8": torch.zeros(0).to(torch.float8_e4m3fn)}, {}
    for name, value in state.items():
        if not re.search(r"SelfAttention\.[qkvo]\.|DenseReluDense", name):
            stored[name] = read[name] = value.half()
            continue
        scale = value.abs().max() / torch.finfo(torch.float8_e4m3fn).max
        stored[name], stored[name.replace(".weight", ".scale_weight")] = (value / scale).to(torch.float8_e4m3fn), scale
        read[name] = stored[name].float() * scale
    save_file(stored, OUT / "umt5_fp8_scaled.safetensors")
    record("umt5_fp8_scaled.safetensors", read)

    brain = {name: value.bfloat16() for name, value in state.items()}
    torch.save({text_name(name, "wan"): value for name, value in brain.items()}, OUT / "models_t5_umt5-enc-bf16.pth")
    record("models_t5_umt5-enc-bf16.pth", brain)

    writer = gguf.GGUFWriter(OUT / "umt5-q8_0.gguf", "t5encoder")
    writer.add_tokenizer_model("t5")
    writer.add_token_list([words.id_to_piece(i) for i in range(words.vocab_size())])
    writer.add_token_scores([words.get_score(i) for i in range(words.vocab_size())])
    kind_of = lambda i: 2 if words.is_unknown(i) else 3 if words.is_control(i) else 6 if words.is_byte(i) else 1
    writer.add_token_types([kind_of(i) for i in range(words.vocab_size())])
    writer.add_pad_token_id(words.pad_id())
    writer.add_eos_token_id(words.eos_id())
    writer.add_unk_token_id(words.unk_id())
    read = {}
    for name, value in state.items():
        kind = Type.Q8_0 if value.ndim == 2 and value.shape[1] % 32 == 0 else Type.F32
        packed = gguf.quants.quantize(value.numpy(), kind)
        writer.add_tensor(text_name(name, "llama"), packed, raw_dtype=kind)
        read[name] = torch.from_numpy(gguf.quants.dequantize(packed, kind).copy())
    finish(writer)
    record("umt5-q8_0.gguf", read)


def blocks_in_a_file():
    """Every kind of block, of random bytes: quants, scales and all; only the float16 scales are kept ordinary."""
    generator = np.random.default_rng(5)
    writer = gguf.GGUFWriter(OUT / "blocks.gguf", "test")
    read = {}
    for kind, halves in ((Type.Q8_0, [0]), (Type.Q4_K, [0, 2]), (Type.Q5_K, [0, 2]), (Type.Q6_K, [208])):
        values, size = gguf.GGML_QUANT_SIZES[kind]
        blocks = generator.integers(0, 256, (3, 512 // values, size), dtype=np.uint8)
        for at in halves:
            scales = generator.normal(0, 0.1, blocks.shape[:2]).astype("<f2")
            blocks[:, :, at : at + 2] = scales[..., None].view(np.uint8)
        packed = blocks.reshape(3, -1)
        writer.add_tensor(kind.name, packed, raw_dtype=kind)
        read[kind.name] = torch.from_numpy(gguf.quants.dequantize(packed, kind).copy())
    for kind in (Type.F32, Type.F16, Type.BF16):
        packed = gguf.quants.quantize(generator.normal(0, 1, (3, 5)).astype(np.float32), kind)
        writer.add_tensor(kind.name, packed, raw_dtype=kind)
        read[kind.name] = torch.from_numpy(gguf.quants.dequantize(packed, kind).copy())
    finish(writer)
    record("blocks.gguf", read)


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    torch.manual_seed(0)
    state = transformer(
        24, num_attention_heads=1, attention_head_dim=32, in_channels=16, out_channels=16, text_dim=32, freq_dim=32, ffn_dim=32, num_layers=1
    ).state_dict()
    transformers_in_files(state)
    autoencoders_in_files()
    text_encoders_in_files()
    blocks_in_a_file()
    every = torch.arange(256, dtype=torch.uint8)
    FILES["float8"] = {kind: digest(every.view(getattr(torch, kind)).float().nan_to_num(nan=12345)) for kind in ("float8_e4m3fn", "float8_e5m2")}
    (OUT / "files.json").write_text(json.dumps(FILES, separators=(",", ":")) + "\n")
    print(f"{sum(path.stat().st_size for path in OUT.iterdir()) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
