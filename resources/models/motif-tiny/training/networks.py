"""The shapes of the transformer and the text encoder: diffusers' and transformers' own classes, small."""

import torch
from diffusers import WanTransformer3DModel
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

import data

TEXT_TOKENS = 80  # prompts are cut to this many tokens; shorter ones are continued with zero embeddings, which are attended to
VOCABULARY = 2560  # rows of the embedding; more than the tokenizer has, so that tokens can be added


def build_transformer(channels=16):
    """For latents of so many channels."""
    return WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=4,
        attention_head_dim=64,
        in_channels=2 * channels,  # noisy latents, then the previous prediction of the clean ones (self-conditioning)
        out_channels=channels,
        text_dim=256,
        freq_dim=256,
        ffn_dim=1024,
        num_layers=8,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        eps=1e-6,
        rope_max_seq_len=256,
    )


def widened(weights, channels):
    """`weights` of a transformer for fewer latent channels, for `channels`: it does not see the new ones yet and predicts no velocity for them."""
    into, out = weights["patch_embedding.weight"], weights["proj_out.weight"]
    before = into.shape[1] // 2
    if before == channels:
        return weights
    into = torch.cat([torch.nn.functional.pad(half, (0, 0, 0, 0, 0, 0, 0, channels - before)) for half in into.split(before, 1)], 1)
    more = lambda x: torch.nn.functional.pad(x.unflatten(0, (-1, before)).movedim(1, -1), (0, channels - before)).movedim(-1, 1).flatten(0, 1)  # channels are innermost
    return {**weights, "patch_embedding.weight": into, "proj_out.weight": more(out), "proj_out.bias": more(weights["proj_out.bias"])}


def build_text_encoder():
    return UMT5EncoderModel(
        UMT5Config(
            vocab_size=VOCABULARY,
            d_model=256,
            d_kv=64,
            d_ff=640,
            num_layers=4,
            num_heads=4,
            relative_attention_num_buckets=32,
            relative_attention_max_distance=128,
            dropout_rate=0.0,
            feed_forward_proj="gated-gelu",
            is_encoder_decoder=False,
            use_cache=False,
            pad_token_id=0,
            eos_token_id=1,
            decoder_start_token_id=0,
        )
    )


def load_tokenizer():
    return PreTrainedTokenizerFast.from_pretrained(data.MODEL / "tokenizer")


def tokenize(tokenizer, texts):
    """Texts -> ids and mask [batch, longest], at most TEXT_TOKENS long."""
    encoded = tokenizer(texts, padding="longest", truncation=True, max_length=TEXT_TOKENS, return_tensors="pt")
    return encoded.input_ids, encoded.attention_mask


def embed(text_encoder, ids, mask):
    """Ids and mask [batch, n] -> [batch, TEXT_TOKENS, 256]; zeros after each prompt's end, as WanPipeline has them."""
    states = text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state * mask[..., None]
    return torch.nn.functional.pad(states, (0, 0, 0, TEXT_TOKENS - states.shape[1]))
