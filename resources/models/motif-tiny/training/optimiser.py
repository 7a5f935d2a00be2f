"""Muon for weight matrices and AdamW for everything else (vectors, embeddings, first and last layers).

Muon (Jordan et al., 2024) replaces a matrix's momentum by the nearest orthogonal matrix, found with five steps of a
Newton-Schulz iteration; a convolution's weight is taken as [out, in * taps]. On these small networks a step costs a
few per cent more than Adam's and learns several times as much.
"""

import torch

from precision import DTYPE


def orthogonalised(gradient):
    """[rows, columns] -> nearly orthogonal matrix of the same shape, in bfloat16 where that is native."""
    x = gradient.to(DTYPE)
    transposed = x.shape[0] > x.shape[1]
    if transposed:
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(5):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x.T if transposed else x


class Muon:
    def __init__(self, model, rate, adam_rate, enabled=True, weight_decay=0.0, plain=(), rates=None):
        """`plain`: parts of parameter names that Adam trains although they are matrices; `rates`: its rates of names that begin so, where they are others."""
        self.rate, self.weight_decay, rates = rate, weight_decay, rates or {}
        self.matrices, others, apart = [], [], {prefix: [] for prefix in rates}
        for name, parameter in model.named_parameters():
            matrix = parameter.ndim >= 2 and min(parameter.shape[0], parameter[0].numel()) >= 8
            if enabled and matrix and not any(part in name for part in plain):
                self.matrices.append(parameter)
            else:
                apart.get(next((prefix for prefix in rates if name.startswith(prefix)), None), others).append(parameter)
        groups = [{"params": others, "rate": adam_rate}] + [{"params": apart[prefix], "rate": rate} for prefix, rate in rates.items() if apart[prefix]]
        self.momenta = [torch.zeros_like(p) for p in self.matrices]
        self.adam = torch.optim.AdamW(groups, lr=adam_rate, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.0, foreach=True)

    def step(self, factor):
        """One step with all learning rates times `factor`; clears the gradients."""
        for parameter, momentum in zip(self.matrices, self.momenta):
            if parameter.grad is None:
                continue
            momentum.lerp_(parameter.grad, 0.05)
            update = parameter.grad.lerp(momentum, 0.95)
            rows = update.reshape(update.shape[0], -1)
            scale = max(1.0, rows.shape[0] / rows.shape[1]) ** 0.5
            with torch.no_grad():
                if self.weight_decay:
                    parameter.mul_(1 - self.weight_decay * self.rate * factor)
                parameter.sub_((orthogonalised(rows).view(update.shape) * scale).to(parameter.dtype), alpha=self.rate * factor)
            parameter.grad = None
        for group in self.adam.param_groups:
            group["lr"] = group["rate"] * factor
        self.adam.step()
        self.adam.zero_grad(set_to_none=True)

    def state_dict(self):
        return {"momenta": self.momenta, "adam": self.adam.state_dict()}

    def load_state_dict(self, state):
        for momentum, saved in zip(self.momenta, state["momenta"]):
            momentum.copy_(saved)
        self.adam.load_state_dict(state["adam"])


class Together:
    """Several optimisers as one."""

    def __init__(self, optimisers):
        self.optimisers = list(optimisers)

    def step(self, factor):
        for optimiser in self.optimisers:
            optimiser.step(factor)

    def state_dict(self):
        return {"parts": [optimiser.state_dict() for optimiser in self.optimisers]}

    def load_state_dict(self, state):
        for optimiser, part in zip(self.optimisers, state["parts"], strict=True):
            optimiser.load_state_dict(part)
