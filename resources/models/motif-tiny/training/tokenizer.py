"""Trains the tokenizer: Unigram pieces as UMT5's, with byte fallback, so no text is ever an error.

    python tokenizer.py            writes ../tokenizer/

Ids: 0 <pad>, 1 </s>, 2 <unk>, 3 to 258 the bytes <0x00> to <0xFF>, then pieces by falling score; the last ones are the
added tokens [v], [u], [v1] to [v8], [u1] to [u8], which stand for concepts and are learned one by one.
"""

import json
import random
import re
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import data

PIECES = 2400  # with the bytes and the concepts' tokens fewer than networks.VOCABULARY; only rare words fall into parts
CONCEPTS = ["[v]", "[u]"] + [f"[{letter}{number}]" for number in range(1, 9) for letter in "vu"]


def corpus():
    """Sentences from the captions, the words of the list (each many times) and the world's own vocabulary and grammar."""
    captions = json.loads((data.SHARED / "material" / "captions.json").read_text())
    sentences = list(captions["photos"].values())
    for clip in captions["clips"].values():
        sentences += [clip["static"], clip["dynamic"]]
    words = Path(__file__).with_name("words.txt").read_text().split()
    for source in ["vocabulary.ts", "grammar.ts", "caption.ts"]:
        path = data.REPOSITORY / "main" / "world" / source
        if path.exists():
            for quoted in re.findall(r"'([A-Za-z][^'\n]*)'", path.read_text()):
                words += [word for word in re.findall(r"[A-Za-z-]+", quoted) if not word.endswith("-")]
    looks = json.loads((data.REPOSITORY / "main" / "world" / "looks.json").read_text())
    words += re.findall(r"[A-Za-z][A-Za-z-]*", " ".join(phrases(looks)))
    sentences += 40 * phrases(looks)
    source = random.Random(0)
    for _ in range(40):
        source.shuffle(words)
        sentences += [" ".join(words[i : i + 9]) + source.choice([".", ",", "!", "?"]) for i in range(0, len(words), 9)]
    return sentences


def phrases(looks):
    """Every text in nested lists and objects."""
    if isinstance(looks, str):
        return [looks]
    values = looks.values() if isinstance(looks, dict) else looks if isinstance(looks, list) else []
    return [text for value in values for text in phrases(value)]


def train():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    specials = ["<pad>", "</s>", "<unk>"]
    alphabet = list("abcdefghijklmnopqrstuvwxyz0123456789.,;:!?'\"()-&%/")
    trainer = trainers.UnigramTrainer(
        vocab_size=PIECES, special_tokens=specials, unk_token="<unk>", initial_alphabet=alphabet, max_piece_length=16, show_progress=False
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    pieces = [(piece, score) for piece, score in json.loads(tokenizer.to_str())["model"]["vocab"] if piece not in specials]
    lowest = min(score for _, score in pieces)
    vocabulary = [(piece, 0.0) for piece in specials] + [(f"<0x{byte:02X}>", lowest - 10) for byte in range(256)] + pieces
    tokenizer.model = models.Unigram(vocabulary, unk_id=2, byte_fallback=True)
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(replacement="▁", prepend_scheme="always", split=True)])
    tokenizer.add_special_tokens(specials)
    from tokenizers import AddedToken

    tokenizer.add_tokens([AddedToken(token, lstrip=True, normalized=False) for token in CONCEPTS])
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    return tokenizer


def main():
    folder = data.MODEL / "tokenizer"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = train()
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "padding_side": "right",
        "model_max_length": 80,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(
        json.dumps({"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}, indent=2) + "\n"
    )
    print(f"{tokenizer.get_vocab_size()} tokens")
    for text in ["A [v] man in a red t-shirt waves in [u] motion.", "Ein Mädchen läuft, 漢字 🙂", "the camera zooms in slowly"]:
        encoded = tokenizer.encode(text)
        print(encoded.tokens, encoded.ids, "|", tokenizer.decode(encoded.ids))


if __name__ == "__main__":
    main()
