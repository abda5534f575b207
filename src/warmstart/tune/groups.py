"""What the optimiser may touch: rates that fall towards the input, and no decay on norms and biases."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from warmstart.base.types import Phase
from warmstart.models.anatomy import Anatomy
from warmstart.models.device import CPU
from warmstart.models.features import device_of


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
    if device_of(anatomy).type == CPU:
        return torch.optim.AdamW(tables, lr=phase.lr, fused=True)
    for each in tables:  # a rate that is read on the device can change while a step is replayed
        each["lr"] = torch.tensor(each["lr"], dtype=torch.float32, device=device_of(anatomy))
    stepper = torch.optim.AdamW(tables, lr=phase.lr, fused=True, capturable=True)
    stepper._warned_capturable_if_run_uncaptured = True  # it is, now and then
    return stepper


def set_rates(stepper: torch.optim.Optimizer, rate: float) -> None:
    """`rate` times the full rate of each table."""
    for each in stepper.param_groups:
        value = each["full_lr"] * rate
        if isinstance(each["lr"], Tensor):
            each["lr"].fill_(value)
        else:
            each["lr"] = value


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
