"""Gives a trained model the words of the looks, without moving an id or a weight that it has learned from.

    MOTIF_MODEL=FOLDER python new_words.py     in a copy of the model folder, before transformer.py --start exported

Words that the tokenizer cuts into parts become pieces behind all others; the embedding has rows to spare for them. A row begins as the
mean of the word's former parts and, where the model knows words of kindred meaning, mostly as theirs. So do the rows of words that
were pieces already, but in no caption. Done twice, it changes nothing.
"""

import json
import re

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

import data
from tokenizer import CONCEPTS, phrases

KIN = {  # what the model knows: words that mean about that
    "sunset": "dawn daybreak sunrise hour firelight candlelight candles embers",
    "night": "late twilight moonlit shadow spotlight firelight candlelight candles embers",
    "moonlight": "moon moonlit",
    "golden": "warm autumn",
    "day": "noon midday morning",
    "bright": "harsh blazing glare noon midday",
    "fog": "mist dense overcast cloudy",
    "clouds": "overcast cloudy stormy",
    "rain": "storm stormy thunderstorm rainy rages",
    "snow": "snowfall snowflakes flurry winter",
    "desert": "dust dusty parched dry heat",
    "pencil": "ink pen",
    "watercolour": "oil canvas",
}


def words_of_looks():
    looks = json.loads((data.REPOSITORY / "main" / "world" / "looks.json").read_text())
    return sorted(set(re.findall(r"[a-z0-9][a-z0-9-]*", " ".join(phrases(looks)).lower())))


def with_pieces(tokenizer, words):
    """A tokenizer in which each of the words is one piece, and every id so far what it was."""
    about = json.loads(tokenizer.to_str())
    vocabulary = about["model"]["vocab"]
    likely, never = max(score for _, score in vocabulary[3:]), min(score for _, score in vocabulary[3:])
    known = {piece for piece, _ in vocabulary}
    vocabulary += [[token, never] for token in CONCEPTS if token not in known]  # they have the ids behind the pieces
    assert [piece for piece, _ in vocabulary[-len(CONCEPTS) :]] == CONCEPTS or known.issuperset(CONCEPTS)
    vocabulary += [[f"▁{word}", likely] for word in words]
    return Tokenizer.from_str(json.dumps(about))


def begin(rows, before, after, words, learned):
    """Sets the rows [tokens, width] of words that have not been `learned`."""
    old, length = rows.clone(), rows.norm(dim=1).mean()
    kin = {word: [known for known, like in KIN.items() if word in like.split()] for word in words}
    for word in words:
        if word in learned:
            continue
        start = old[before.encode(word, add_special_tokens=False).ids].mean(0)
        if kin[word]:
            like = [before.encode(known, add_special_tokens=False).ids for known in kin[word]]
            start = 0.3 * start + torch.stack([old[ids].mean(0) for ids in like]).mean(0)
        elif len(before.encode(word, add_special_tokens=False).ids) == 1:
            continue
        (place,) = after.encode(word, add_special_tokens=False).ids
        rows[place] = start * length / start.norm()


def main():
    file = data.MODEL / "tokenizer" / "tokenizer.json"
    before, words = Tokenizer.from_file(str(file)), words_of_looks()
    new = [word for word in words if len(before.encode(word, add_special_tokens=False).ids) > 1]
    if not new:
        return print("every word of the looks is a piece already")
    after = with_pieces(before, new)
    weights = load_file(data.MODEL / "text_encoder" / "model.safetensors")
    rows = weights["shared.weight"].float()
    assert after.get_vocab_size() < len(rows), "more words than the embedding has rows"
    begin(rows, before, after, words, set(json.loads((data.MODEL / "vocabulary.json").read_text())))
    weights["shared.weight"] = rows.half()
    save_file(weights, data.MODEL / "text_encoder" / "model.safetensors", {"format": "pt"})
    after.save(str(file))
    vocabulary = data.MODEL / "vocabulary.json"
    known = set(json.loads(vocabulary.read_text())).union(*(like.split() for like in KIN.values()))
    vocabulary.write_text(json.dumps(sorted(known), indent=1) + "\n")
    print(f"{len(new)} words from id {before.get_vocab_size()} on: {' '.join(new)}")


if __name__ == "__main__":
    main()
