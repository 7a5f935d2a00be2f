"""Makes twin-generator/, twin-generator-path/ and twin-generator-common/: random generators for the latents of vidtwin/full, on the grid of 3 x 2 of its pictures, the second with six
lines more for the camera's path, and of vidtwin/direct by what its cells have in common: weights, the flows of two latents at different noise, and the gradient of every weight.

    python test/golden/make_twin_generator_golden.py     needs torch and safetensors; the test needs none of it
"""

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "resources/models/motif-twin/training"))
import generator  # noqa: E402
import vidtwin  # noqa: E402



def make(out, twin_folder, path_lines=0, common=0):
    twin = vidtwin.load(twin_folder)
    t = twin.config
    cell = twin.direct.mean.shape[1] if common else 0
    config = generator.Config("micro", hidden=16, depth=2, heads=2, feed_forward=24, time_features=8, text_width=24, queries=t.queries,
                              structure_dim=t.structure_dim, frames=t.frames, dynamics_dim=t.dynamics_dim, path_lines=path_lines, common=common, cell=cell)
    torch.manual_seed(3)
    model = generator.TwinGenerator(config).eval()
    with torch.no_grad():  # zeros at the start would hide mistakes; float16 holds the numbers exactly
        for q in model.parameters():
            q.copy_((q + 0.1 * torch.randn_like(q)).half().float())
        if common:
            model.common.mean.copy_((0.1 * torch.randn(cell)).half())
            model.common.components.copy_(torch.linalg.qr(torch.randn(cell, common))[0].T.half())
    random = torch.Generator().manual_seed(9)
    of_structure, of_dynamics = t.latent_shapes()
    z_s = torch.randn(2, *of_structure, generator=random)
    z_d = torch.randn(2, *of_dynamics[:-1], of_dynamics[-1] + path_lines, generator=random)
    rows, columns = of_structure[2:]
    structure, dynamics, more = generator.structure_tokens(z_s), generator.dynamics_tokens(z_d), {}
    assert torch.equal(generator.structure_latent(structure, config, rows, columns), z_s) and torch.equal(generator.dynamics_latent(dynamics, config), z_d)
    if common:
        with torch.no_grad():
            structure = model.common.tokens(twin, z_s)
            more = {"coded": model.common.latent(twin, structure, rows, columns)}
    text, sigma = torch.randn(2, 7, 24, generator=random), torch.tensor([0.25, 0.875])
    flow_s, flow_d = model(structure, dynamics, sigma, text, (rows, columns))
    loss = flow_s.square().mean() + (flow_d - dynamics).square().mean()
    loss.backward()
    found = {"z_s": z_s, "z_d": z_d, "structure": structure, "dynamics": dynamics, "text": text, "sigma": sigma, "flow of structure": flow_s.detach(),
             "flow of dynamics": flow_d.detach(), "loss": loss.detach(), **{f"gradient {name}": q.grad for name, q in model.named_parameters()}, **more}
    about = {"name": t.name, "weights": generator.weights_hash(twin_folder), "height": t.height, "width": t.width}
    numbers = lambda size: torch.rand(size, generator=random).tolist()
    statistics = {"structure_mean": numbers(config.structure_size), "structure_std": [0.5 + v for v in numbers(config.structure_size)],
                  "dynamics_mean": numbers(config.dynamics_size), "dynamics_std": [0.5 + v for v in numbers(config.dynamics_size)]}
    generator.save(model, out, about, statistics)
    save_file({key: value.contiguous() for key, value in found.items()}, out / "golden.safetensors")
    (out / "golden.safetensors").chmod(0o644)
    print(out.name, loss.item(), generator.parameters(model), sum(f.stat().st_size for f in out.glob("*")))


make(HERE / "twin-generator", HERE / "vidtwin/full")
make(HERE / "twin-generator-path", HERE / "vidtwin/full", path_lines=6)
make(HERE / "twin-generator-common", HERE / "vidtwin/direct", common=7)
