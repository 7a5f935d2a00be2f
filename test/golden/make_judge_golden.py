"""Makes judge/: a tiny random judge by the training's own network, and what it says of a random clip and two texts.

    python test/golden/make_judge_golden.py     needs what resources/models/motif-tiny/training needs; the test needs none of it
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from tokenizers import Tokenizer

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "resources/models/motif-tiny/training"))
import judge as training  # noqa: E402

training.WIDTH, training.HEADS, training.EMBEDDING = 16, 2, 6
sizes = [(4, 1, 1), (8, 2, 0), (8, 2, 2), (16, 2, 0)]
training.STAGES = [{"channels": channels, "stride": stride, "residuals": count} for channels, stride, count in sizes]
tokenizer_file = HERE / "model/tokenizer/tokenizer.json"
tokenizer = Tokenizer.from_file(str(tokenizer_file))
training.VOCABULARY, training.TEXT_TOKENS = tokenizer.get_vocab_size(), 24
labels = {"subject": ["woman", "dog", "bonfire"], "light": ["day", "night"]}

torch.manual_seed(11)
network = training.Judge(labels).eval()
with torch.no_grad():
    for name, value in network.named_parameters():
        value.add_(0.1 * torch.randn(value.shape))

clip = torch.randint(0, 256, (17, 32, 48, 3), generator=torch.Generator().manual_seed(5), dtype=torch.uint8)
texts = ["a dog runs on the beach", "a person in a red hat"]
tokenizer.enable_padding(pad_id=tokenizer.token_to_id("<pad>"), length=training.TEXT_TOKENS)
encoded = tokenizer.encode_batch(texts)
with torch.no_grad():
    x = (clip.float() / 127.5 - 1).permute(3, 0, 1, 2)[None]
    frames = network.frames(training.look(x))
    video = network.video(frames)
    expected = {
        "clip": clip,
        "frames": F.normalize(network.frame_embedding(frames), dim=-1)[0],
        "video": F.normalize(network.video_embedding(video), dim=-1)[0],
        "features": video[0],
        "texts": network.read(torch.tensor([e.ids for e in encoded]), torch.tensor([e.attention_mask for e in encoded])),
        **{f"scores.{name}": network.heads[name](video)[0].softmax(-1) for name in labels},
    }

folder = HERE / "judge"
folder.mkdir(exist_ok=True)
save_file({key: value.contiguous() for key, value in network.state_dict().items()}, folder / "model.safetensors")
save_file({key: value.contiguous() for key, value in expected.items()}, folder / "expected.safetensors")
config = {
    "version": 3,
    "frames": training.FRAMES,
    "stages": training.STAGES,
    "width": training.WIDTH,
    "heads": training.HEADS,
    "spaceBlocks": len(network.space),
    "timeBlocks": 2,
    "textBlocks": 2,
    "embedding": training.EMBEDDING,
    "maxTextTokens": training.TEXT_TOKENS,
    "layerNormEpsilon": 1e-5,
    "tokenizer": "../model/tokenizer/tokenizer.json",
    "labels": labels,
}
(folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
(folder / "texts.json").write_text(json.dumps(texts) + "\n")
for file in folder.glob("*.safetensors"):
    file.chmod(0o644)
