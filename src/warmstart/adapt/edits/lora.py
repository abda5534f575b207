"""LoRA: beside every linear layer of the body two thin ones that learn (Hu et al. 2021, arXiv 2106.09685).

The adapter is B A x * alpha / rank with B zero at first, so that nothing changes before the first step.
"""

import re
import warnings
from dataclasses import dataclass
from typing import Any

from torch import nn

from warmstart.base.errors import WarmstartError
from warmstart.models.anatomy import OUTPUT, Anatomy, may_learn
from warmstart.models.load import Pretrained, seeded


@dataclass(frozen=True)
class Lora:
    """Adapters of `rank` on all linear layers of the body; its own weights rest from then on."""

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha < 1 or not 0 <= self.dropout < 1:
            raise WarmstartError(
                f"edit 'lora': rank {self.rank}, alpha {self.alpha}, dropout {self.dropout}",
                "rank and alpha are whole numbers from 1, dropout is a share from 0 to below 1",
                "wrong-value",
            )

    def apply(self, pretrained: Pretrained, labels: tuple[str, ...], seed: int) -> tuple[Pretrained, str]:
        """Change the module in place. WarmstartError without peft, and for a body without linear layers."""
        peft = import_peft()
        module, names = pretrained.module, linear_layers(pretrained.anatomy)
        check_room(pretrained, names)
        let_rest(pretrained.anatomy)
        config = peft.LoraConfig(
            r=self.rank, lora_alpha=self.alpha, lora_dropout=self.dropout, target_modules=exactly(names)
        )
        config._register_custom_module(quick_layers())
        with seeded(seed, "lora"), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "fan_in_fan_out")  # peft finds out by itself, and says so
            peft.inject_adapter_in_model(config, module)
        for parameter in module.parameters():  # peft lets adapters alone learn; the head learns too
            parameter.requires_grad_(may_learn(parameter))
        added = sum(p.numel() for n, p in module.named_parameters() if ".lora_" in n)
        note = f"lora: adapters of rank {self.rank} beside {len(names)} linear layers, {added:,} parameters"
        return pretrained.with_module(module.train(module.training)), note


def import_peft() -> Any:
    """peft, which takes seconds to import and is an extra."""
    try:
        import peft
    except ImportError:
        raise WarmstartError(
            "the edit 'lora' needs the library peft, which is not installed",
            'pip install "warmstart[lora]", or choose another strategy',
            "missing-extra",
        ) from None
    return peft


def quick_layers() -> dict[type[nn.Module], type[nn.Module]]:
    """What stands beside which kind of linear layer. peft is imported with it."""
    from transformers.pytorch_utils import Conv1D

    from warmstart.adapt.quick_lora import QuickConv1D, QuickLinear

    return {nn.Linear: QuickLinear, Conv1D: QuickConv1D}


def check_room(pretrained: Pretrained, names: list[str]) -> None:
    """Is there a linear layer to stand beside, and none that has adapters already?"""
    if hasattr(pretrained.module, "peft_config"):
        raise WarmstartError(
            f"edit 'lora': {pretrained.source} already has adapters", "leave the second lora out", "twice"
        )
    if not names:
        raise WarmstartError(
            f"edit 'lora': the body of {pretrained.source} has no linear layers to put adapters beside",
            "choose the strategy full or partial",
            "nothing-to-adapt",
        )


def linear_layers(anatomy: Anatomy) -> list[str]:
    """Paths of the linear layers of the body. Subclasses are left out: their owners may bypass `forward`."""
    from transformers.pytorch_utils import Conv1D  # GPT-2's name for a linear layer

    kinds = (nn.Linear, Conv1D)
    body = {id(m) for group in anatomy.groups[:-1] for part in group.modules for m in part.modules()}
    return [n for n, m in anatomy.model.named_modules() if type(m) in kinds and id(m) in body]


def exactly(names: list[str]) -> str:
    """A pattern for these paths alone; of a list, peft would also take paths that end like one of them."""
    return "|".join(map(re.escape, names))


def let_rest(anatomy: Anatomy) -> None:
    """Mark all weights but those of a classification head, so that no phase lets them learn."""
    for group in anatomy.groups if anatomy.names[-1] == OUTPUT else anatomy.groups[:-1]:
        for parameter in group.parameters():
            parameter.warmstart_frozen = True  # type: ignore[attr-defined]


EDIT = Lora
