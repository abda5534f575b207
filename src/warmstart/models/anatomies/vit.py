"""Vision transformers (ViT, DINOv2): patches, layers, a norm, a linear head over the class token."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from warmstart.models.anatomies import _image
from warmstart.models.anatomy import Group, State, base_of


@dataclass(frozen=True)
class Vit(_image.CannotCut):
    model_types = ("vit", "dinov2")
    can_cut = True

    def groups(self, model: Any) -> list[Group]:
        body = base_of(model)
        read = class_and_mean if model.config.model_type == "dinov2" else class_token
        layers = [_image.block(f"layer.{i}", layer) for i, layer in enumerate(layer_list(body))]
        norm = Group("norm", (body.layernorm,), read(body.layernorm), exact=True)
        return [_image.stem("embeddings", body.embeddings), *layers, norm, _image.head(model.classifier)]

    def keep_layers(self, model: Any, keep: int) -> None:
        kept = nn.ModuleList(layer_list(base_of(model))[:keep])
        owner = base_of(model) if hasattr(base_of(model), "layers") else base_of(model).encoder
        setattr(owner, "layers" if hasattr(owner, "layers") else "layer", kept)
        model.config.num_hidden_layers = keep
        if hasattr(model.config, "stage_names"):
            _image.name_stages(model.config, keep)


def layer_list(body: Any) -> Any:
    """The layers, which ViT holds itself and DINOv2 in an encoder."""
    return body.layers if hasattr(body, "layers") else body.encoder.layer


def class_token(norm: nn.Module) -> Callable[[State], State]:
    return lambda s: {"pooled": norm(s["hidden"])[:, 0]}


def class_and_mean(norm: nn.Module) -> Callable[[State], State]:
    """DINOv2's head reads the class token beside the mean of the patches."""

    def run(state: State) -> State:
        x = norm(state["hidden"])
        return {"pooled": torch.cat([x[:, 0], x[:, 1:].mean(1)], 1)}

    return run


ANATOMY = Vit
