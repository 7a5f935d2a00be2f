"""New pieces leave every caption of the first edition as it was; each word of the looks becomes one piece, and lies near its kin."""

import json
import subprocess

import torch
from tokenizers import Tokenizer

import data
from new_words import KIN, begin, with_pieces, words_of_looks
from tokenizer import CONCEPTS

CAPTIONS = """
import { caption } from './main/world/caption.ts';
import { sampleScene } from './main/world/scene.ts';
const texts = new Set();
for (let seed = 0; seed < 4000; seed++)
  for (const variant of [0, 1, 2]) for (const text of Object.values(caption(sampleScene(seed), { variant }))) texts.add(text);
console.log(JSON.stringify([...texts]));
"""


def main():
    before = Tokenizer.from_file(str(data.REPOSITORY / "resources" / "models" / "motif-tiny" / "tokenizer" / "tokenizer.json"))
    words = words_of_looks()
    ids = lambda tokenizer, text: tokenizer.encode(text, add_special_tokens=False).ids
    new = [word for word in words if len(ids(before, word)) > 1]
    after = with_pieces(before, new)
    assert all(len(ids(after, word)) == 1 for word in words)
    assert after.get_vocab_size() == before.get_vocab_size() + len(new)
    assert all(after.token_to_id(token) == before.token_to_id(token) for token in CONCEPTS)
    captions = subprocess.run(["node", "--input-type=module", "-e", CAPTIONS], cwd=data.REPOSITORY, check=True, capture_output=True, text=True).stdout
    captions = json.loads(captions) + ["A [v] man in a red t-shirt waves in [u3] motion.", "Ein Mädchen läuft, 漢字 🙂"]
    for text in captions:
        assert before.encode(text).ids == after.encode(text).ids, text
    torch.manual_seed(0)
    rows = torch.randn(2560, 8)
    old = rows.clone()
    learned = json.loads((data.REPOSITORY / "resources" / "models" / "motif-tiny" / "vocabulary.json").read_text())
    begin(rows, before, after, words, set(learned))
    places = {i for word in words for i in ids(after, word)}
    assert all((rows[i] == old[i]).all() for i in range(len(rows)) if i not in places), "a row of another word has changed"
    used = {i for text in captions[:-2] for i in ids(after, text)}
    assert all((rows[i] == old[i]).all() for i in used), "a row of a caption's word has changed"
    near = lambda word, known: torch.cosine_similarity(rows[ids(after, word)[0]], rows[ids(after, known)[0]], dim=0)
    assert near("dawn", "sunset") > 0.8 and near("mist", "fog") > 0.3
    assert all(len(ids(before, known)) == 1 for known in KIN)
    print(f"{len(new)} new pieces, {len(captions)} captions as before")


if __name__ == "__main__":
    main()
