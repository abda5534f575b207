"""Swin: patches, stages of windowed layers, patches merged between them, their mean, a linear head."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from warmstart.models.anatomies import _image
from warmstart.models.anatomy import Group, State, base_of


@dataclass(frozen=True)
class Swin(_image.CannotCut):
    model_types = ("swin",)

    def groups(self, model: Any) -> list[Group]:
        body = base_of(model)
        groups = [Group("embeddings", (body.embeddings,), embed(body))]
        for i, stage in enumerate(body.encoder.layers):
            for j, layer in enumerate(stage.blocks):
                merge = stage.downsample if j == len(stage.blocks) - 1 else None
                groups.append(window(f"stage.{i}.{j}", layer, merge))
        norm = Group("norm", (body.layernorm,), lambda s: {"pooled": body.layernorm(s["hidden"]).mean(1)})
        return [*groups, norm, _image.head(model.classifier)]


def embed(body: Any) -> Callable[[State], State]:
    """Patches, and beside them the height and width of their grid, one row per picture."""

    def run(state: State) -> State:
        hidden, grid = body.embeddings(state["pixel_values"])
        return {"hidden": hidden, "grid": torch.tensor([grid] * len(hidden))}

    return run


def window(name: str, layer: nn.Module, merge: nn.Module | None) -> Group:
    """One layer over windows, and the merging of patches after the last of a stage."""

    def run(state: State) -> State:
        height, width = map(int, state["grid"][0])
        hidden = layer(state["hidden"], (height, width))[0]
        if merge is None:
            return {"hidden": hidden, "grid": state["grid"]}
        grid = torch.tensor([((height + 1) // 2, (width + 1) // 2)] * len(hidden))
        return {"hidden": merge(hidden, (height, width)), "grid": grid}

    return Group(name, (layer,) if merge is None else (layer, merge), run)


ANATOMY = Swin
