"""Makes vidtwin/: random networks, whole, in the four ablations, and with patches of two frames and a linear code beside it, on a grid of 5 x 3 patches and six frames, so that halving rounds up,
doubling is cut and no two axes are of one length: weights, every stage, the losses, and the gradient of every weight.

    python test/golden/make_vidtwin_golden.py     needs torch and safetensors; the test needs none of it
"""

import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

HERE = Path(__file__).parent
MODELS = HERE.parents[1] / "resources/models"
sys.path[:0] = [str(MODELS / "motif-twin/training"), str(MODELS / "motif-tiny/training")]
import golden  # noqa: E402
import vidtwin  # noqa: E402
from golden import to_clip  # noqa: E402
from losses import Discriminator, Perceptual  # noqa: E402

OUT = HERE / "vidtwin"
CPU = torch.device("cpu")
HEIGHT, WIDTH = 20, 12
EVERYWHERE = ("patches", "positions", "embedded", "encoder.0")


def write(name, tensors):
    file = OUT / f"{name}.safetensors"
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous() for key, value in tensors.items()}, file)
    file.chmod(0o644)


def randomise(model, seed):
    """Zeros at the start would hide mistakes. Float16 holds the numbers exactly."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for q in model.parameters():
            q.copy_((q + 0.1 * torch.randn_like(q)).half().float())
    return model


# A judge's convolutions with as many stages and residuals as the real one's, but few channels.
torch.manual_seed(5)
channels, stages = 17, {}
for i, (size, stride, residuals) in enumerate([(4, 1, 0), (6, 2, 2), (6, 2, 2), (8, 2, 1)]):
    for path, into in [(f"stages.{i}.into", channels)] + [(f"stages.{i}.residuals.{j}", size) for j in range(residuals)]:
        stages[f"{path}.conv.weight"] = 0.3 * torch.randn(size, into, 3, 3)
        stages[f"{path}.conv.bias"] = 0.1 * torch.randn(size)
        stages[f"{path}.norm.weight"] = 1 + 0.2 * torch.randn(size)
        stages[f"{path}.norm.bias"] = 0.1 * torch.randn(size)
    channels = size
write("judge/model", stages)
perceptual = Perceptual(OUT / "judge/model.safetensors").eval()

source = torch.randint(0, 256, (2, 6, HEIGHT, WIDTH, 3), generator=torch.Generator().manual_seed(9), dtype=torch.uint8)
both = to_clip(source.numpy(), CPU)
write("clips", {"a": source[0], "b": source[1]})

for ablation, changes in {**vidtwin.ABLATIONS, "direct": {"patch_frames": 2, "direct": 5, "kinds": 4}}.items():
    config = replace(vidtwin.PRESETS["tiny"], name="micro", frames=6, height=HEIGHT, width=WIDTH, patch=4, hidden=12, depth=2, heads=2,
                     queries=4, query_width=8, query_layers=3, query_heads=2, query_feed_forward=12, structure_channels=4, structure_dim=3,
                     dynamics_dim=5, **changes)
    torch.manual_seed(3)
    model = randomise(vidtwin.VidTwin(config).eval(), 4)
    found = golden.stages(model, both[:1], both[1:])
    found.pop("psnr, ssim")
    if ablation != "full":
        for name in EVERYWHERE:
            found.pop(name)
    made, kl = model(both, sample=False)
    frames = lambda x: x.transpose(1, 2).flatten(0, 1)
    l1, seen = (made - both).abs().mean(), perceptual(frames(made), frames(both))
    loss = l1 + 0.05 * seen + 0.001 / (3 * HEIGHT * WIDTH) * kl
    loss.backward()
    found["losses: total, l1, perceptual, kl"] = torch.stack([loss, l1, seen, kl]).detach()
    found.update({f"gradient {name}": q.grad for name, q in model.named_parameters()})
    vidtwin.save(model, OUT / ablation)
    (OUT / ablation / "model.safetensors").chmod(0o644)
    write(f"{ablation}/golden", found)
    print(ablation, found["losses: total, l1, perceptual, kl"].tolist(), sum(f.stat().st_size for f in (OUT / ablation).glob("*")))

# The patch discriminator: what it says of frames, and both sides' losses with their gradients.
judge = randomise(Discriminator(2), 6)
real, fake = (torch.rand(2, 3, 32, 40, generator=torch.Generator().manual_seed(s)) * 2 - 1 for s in (1, 2))
fake.requires_grad_(True)
hinge = 0.5 * (torch.relu(1 - judge(real)).mean() + torch.relu(1 + judge(fake)).mean())
hinge.backward()
result = {"real": real, "fake": fake.detach(), "logits": judge(real).detach(), "hinge": hinge.detach()}
result.update({f"gradient {name}": q.grad.clone() for name, q in judge.named_parameters()})
fake.grad = None
generator = -judge(fake).mean()
generator.backward()
result.update({"generator": generator.detach(), "gradient of fake": fake.grad})
write("discriminator/golden", result)
write("discriminator/model", judge.state_dict())

# One step of training with every term: latents sampled, one latent of each clip dropped, two frames looked at, the discriminator at work.
import torch.nn.functional as F  # noqa: E402

model = vidtwin.load(OUT / "full")
generator = torch.Generator().manual_seed(12)
source = torch.randint(0, 256, (2, 6, 24, 32, 3), generator=generator, dtype=torch.uint8)
x = to_clip(source.numpy(), CPU)
noise = [torch.randn(mean.shape, generator=generator) for mean, _ in model.moments(x)]
keep_s, keep_d = (torch.tensor(v).view(2, 1, 1, 1) for v in ([1.0, 0.0], [0.0, 1.0]))
looked = [1, 4]
moments = model.moments(x)
latents = [mean + n * (0.5 * logvar).exp() for (mean, logvar), n in zip(moments, noise)]
kl = sum(0.5 * (mean.square() + logvar.exp() - 1 - logvar).sum() / 2 for mean, logvar in moments)
made = model.pixels(model.embed(*latents, 24, 32, keep_s, keep_d), 24, 32)
pick = lambda v: v[:, :, looked].transpose(1, 2).flatten(0, 1)
l1, seen = (made - x).abs().mean(), perceptual(pick(made), pick(x))
loss = l1 + 0.05 * seen + 0.001 / (3 * 24 * 32) * kl
g = -judge(pick(made)).mean()
last = model.patch_out.weight
base = torch.autograd.grad(loss, last, retain_graph=True)[0].norm()
other = torch.autograd.grad(g, last, retain_graph=True)[0].norm()
balance = (base / (other + 1e-4)).clamp(0, 1e4).detach()
loss = loss + 0.05 * balance * g
loss.backward()
judge.zero_grad()
hinge = 0.5 * (F.relu(1 - judge(pick(x))).mean() + F.relu(1 + judge(pick(made).detach())).mean())
hinge.backward()
write("training/golden", {
    "clips": source, "noise_s": noise[0], "noise_d": noise[1],
    "losses: total, l1, perceptual, kl": torch.stack([loss, l1, seen, kl]).detach(),
    "adversarial: network, balance, discriminator": torch.stack([g, balance, hinge]).detach(),
    **{f"gradient {name}": q.grad for name, q in model.named_parameters()},
    **{f"judge gradient {name}": q.grad for name, q in judge.named_parameters()},
})
