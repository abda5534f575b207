"""A new linear head for the user's classes; rows of classes that the model already knows by name are kept."""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from warmstart.adapt.edits._labels import match
from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import stream
from warmstart.models.load import Pretrained

SPREAD = 0.02  # standard deviation of fresh weights, as transformers draws them


@dataclass(frozen=True)
class NewHead:
    """Replace the linear layer that gives the logits by one with an output per class of the data."""

    def apply(self, pretrained: Pretrained, labels: tuple[str, ...], seed: int) -> tuple[Pretrained, str]:
        """Change the module in place. A head with these classes in this order only takes their names."""
        module = pretrained.module
        path, old = linear_head(pretrained)
        kept = match(labels, pretrained.labels)
        same = len(pretrained.labels) == len(labels) and kept == {i: i for i in range(len(labels))}
        if not same:
            fresh: Any = fresh_head(old, len(labels), kept, seed)
            fresh.warmstart_fresh = True  # as it is it says nothing, and is not kept by early stopping
            module.set_submodule(path, fresh)
        name_classes(module, labels)
        changed = replace(pretrained.with_module(module), labels=labels)
        return changed, note(old, labels, kept, same)


def linear_head(pretrained: Pretrained) -> tuple[str, nn.Linear]:
    """Path and module of the layer to replace."""
    found, classes = pretrained.anatomy.head(), pretrained.module.config.num_labels
    if found is None or found[1].out_features != classes:
        raise WarmstartError(
            f"{pretrained.source}: no linear layer that gives its {classes} class scores",
            "choose a model with a linear classification head",
            "no-linear-head",
        )
    return found


@torch.no_grad()
def fresh_head(old: nn.Linear, classes: int, kept: dict[int, int], seed: int) -> nn.Linear:
    """A linear layer like `old` with `classes` outputs; `kept` says which rows to take over from where."""
    source = torch.Generator().manual_seed(stream(seed, "new_head"))
    weight_CD = torch.randn(classes, old.in_features, generator=source) * SPREAD
    bias = old.bias is not None
    empty = nn.Linear(old.in_features, classes, bias=bias, dtype=old.weight.dtype, device="meta")
    head = empty.to_empty(device=old.weight.device)  # so that no shared randomness is drawn
    head.weight.copy_(weight_CD)
    if bias:
        head.bias.zero_()
    for new_row, old_row in kept.items():
        head.weight[new_row] = old.weight[old_row]
        if bias:
            head.bias[new_row] = old.bias[old_row]
    return head.train(old.training)


def name_classes(module: Any, labels: tuple[str, ...]) -> None:
    """Tell the configuration, so that the saved model loads with these classes and shows their names."""
    module.config.id2label = dict(enumerate(labels))
    module.config.label2id = {label: i for i, label in enumerate(labels)}
    module.config.problem_type = "single_label_classification"
    if hasattr(module, "num_labels"):
        module.num_labels = len(labels)


def note(old: nn.Linear, labels: tuple[str, ...], kept: dict[int, int], same: bool) -> str:
    if same:
        return f"new_head: the head already tells these {len(labels)} classes apart and stays as it is"
    rows = f"{len(kept)} of them kept by name" if kept else "all of them fresh"
    return f"new_head: {old.out_features:,} classes replaced by {len(labels):,}, {rows}"


EDIT = NewHead
