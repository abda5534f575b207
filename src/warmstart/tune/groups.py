"""What the optimiser may touch: rates that fall towards the input, and no decay on norms and biases."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from warmstart.base.types import Phase
from warmstart.models.anatomy import Anatomy


def optimiser(
    anatomy: Anatomy, phase: Phase, held: Callable[[nn.Parameter], nn.Parameter] = lambda parameter: parameter
) -> torch.optim.AdamW:
    """AdamW over the groups that learn; those that move alike are one table, with its full rate as "full_lr".

    `held` gives what this process holds of a parameter.
    """
    decayed = decayed_parameters(anatomy.model)
    alike: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, share in anatomy.rates(phase.learn, phase.decay).items():
        rate = phase.head_lr if phase.head_lr and name == anatomy.names[-1] else phase.lr * share
        learning = [p for p in anatomy.parameters(name) if p.requires_grad]
        for decays in (True, False):
            chosen = [held(p) for p in learning if (id(p) in decayed) is decays]
            if chosen:
                alike.setdefault((rate, phase.weight_decay if decays else 0.0), []).extend(chosen)
    tables = [table(chosen, rate, decay) for (rate, decay), chosen in alike.items()]
    return torch.optim.AdamW(tables, lr=phase.lr, fused=True)


def table(parameters: list[nn.Parameter], lr: float, weight_decay: float) -> dict[str, Any]:
    return {"params": parameters, "lr": lr, "full_lr": lr, "weight_decay": weight_decay}


def decayed_parameters(model: nn.Module) -> set[int]:
    """Ids of what multiplies inputs: weights of two and more dimensions that are no table to look things up.

    Everything else shifts or scales: biases, norms, class tokens, tables of positions, layer scales.
    """
    tables = {id(m.weight) for m in model.modules() if isinstance(m, (nn.Embedding, nn.EmbeddingBag))}
    return {
        id(parameter)
        for module in model.modules()
        for name, parameter in module.named_parameters(recurse=False)
        if name.endswith("weight") and parameter.dim() >= 2 and id(parameter) not in tables
    }
