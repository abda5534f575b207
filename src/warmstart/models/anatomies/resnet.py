"""ResNet: a stem, residual layers in stages, the mean over the map, a linear head."""

from dataclasses import dataclass
from typing import Any

from torch import nn

from warmstart.models.anatomies import _image
from warmstart.models.anatomy import Group, base_of


@dataclass(frozen=True)
class ResNet(_image.CannotCut):
    model_types = ("resnet",)
    can_cut = True

    def groups(self, model: Any) -> list[Group]:
        body = base_of(model)
        groups = [
            _image.block(f"stage.{i}.{j}", layer)
            for i, stage in enumerate(body.encoder.stages)
            for j, layer in enumerate(stage.layers)
        ]
        groups[-1] = _image.last_block(groups[-1], then=_image.average())
        return [_image.stem("stem", body.embedder), *groups, _image.head(model.classifier)]

    def keep_layers(self, model: Any, keep: int) -> None:
        """Keep the first `keep` residual layers; where they end narrower, put a fresh head behind them."""
        stages = base_of(model).encoder.stages
        depths: list[int] = []
        for stage in stages:
            depths.append(min(len(stage.layers), keep - sum(depths)))
        depths = [d for d in depths if d > 0]
        base_of(model).encoder.stages = nn.ModuleList(stages[: len(depths)])
        for stage, depth in zip(base_of(model).encoder.stages, depths, strict=True):
            stage.layers = stage.layers[:depth]
        model.config.depths = depths
        model.config.hidden_sizes = list(model.config.hidden_sizes[: len(depths)])
        _image.name_stages(model.config, len(depths))
        width, head = model.config.hidden_sizes[-1], model.classifier[1]
        if head.in_features != width:
            model.classifier[1] = nn.Linear(width, head.out_features)


ANATOMY = ResNet
