"""Makes magvit/: a random network whose stages stride in space, in time and both, on pictures of 12 x 20, so that no two axes are of one
length: weights, every stage, a single picture, the losses, and the gradient of every weight.

    python test/golden/make_magvit_golden.py     needs torch and safetensors; the test needs none of it
"""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "resources/models/motif-magvit/training"))
import magvit  # noqa: E402

OUT = HERE / "magvit"
config = magvit.Config("micro", latent_channels=3, base_channels=4, channel_multipliers=(1, 2, 3, 2), encoder_blocks=(1, 2, 1, 1), decoder_blocks=(2, 1, 1, 1),
                       frame_strides=(1, 2, 2, 1), spatial_strides=(2, 2, 1, 1), norm_groups=2)
torch.manual_seed(3)
model = magvit.Magvit(config).eval()
with torch.no_grad():  # zeros at the start would hide mistakes; float16 holds the numbers exactly
    for q in model.parameters():
        q.copy_((q + 0.1 * torch.randn_like(q)).half().float())
clip = torch.rand(2, 3, 9, 12, 20, generator=torch.Generator().manual_seed(9)) * 2 - 1

found = {"clip": clip}
with torch.no_grad():
    x = model.encoder.conv_in(clip[:1])
    found["encoder.conv_in"] = x
    for i, stage in enumerate(model.encoder.stages):
        x = stage(x)
        found[f"encoder.stages.{i}"] = x
    mean, logvar = model.moments(clip[:1])
    found["mean"], found["logvar"] = mean, logvar
    x = model.decoder.conv_in(mean)
    for i in reversed(range(len(model.decoder.stages))):
        found[f"decoder.stages.{i}.adapt"] = model.decoder.stages[i].adapt(x, mean)
        x = model.decoder.stages[i](x, mean)
        found[f"decoder.stages.{i}"] = x
    found["decoded"] = model.decode(mean)
    found["picture mean"] = model.moments(clip[:1, :, :1])[0]
    found["picture decoded"] = model.decode(found["picture mean"])
made, kl = model(clip, sample=False)
l1, squares = (made - clip).abs().mean(), F.mse_loss(made, clip)
loss = l1 + squares + 0.001 / (3 * 12 * 20) * kl
loss.backward()
found["losses: total, l1, squares, kl"] = torch.stack([loss, l1, squares, kl]).detach()
found.update({f"gradient {name}": q.grad for name, q in model.named_parameters()})

mean, deviation = [0.25, -0.5, 0.125], [0.5, 2.0, 1.25]
magvit.save(model, OUT, mean, deviation)
save_file({key: value.contiguous() for key, value in found.items()}, OUT / "golden.safetensors")
(OUT / "golden.safetensors").chmod(0o644)
print(found["losses: total, l1, squares, kl"].tolist(), magvit.parameters(model), sum(f.stat().st_size for f in OUT.glob("*")))
