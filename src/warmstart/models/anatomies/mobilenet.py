"""MobileNet v1 and v2: a stem, depthwise-separable blocks, the mean over the map, a linear head."""

from dataclasses import dataclass
from typing import Any

from warmstart.models.anatomies import _image
from warmstart.models.anatomy import Group, base_of


@dataclass(frozen=True)
class MobileNet(_image.CannotCut):
    model_types = ("mobilenet_v1", "mobilenet_v2")

    def groups(self, model: Any) -> list[Group]:
        body = base_of(model)
        layers = list(body.layer)
        if model.config.model_type == "mobilenet_v1":  # depthwise and pointwise convolutions alternate
            blocks = [layers[i : i + 2] for i in range(0, len(layers), 2)]
        else:
            blocks = [*([layer] for layer in layers), [body.conv_1x1]]
        groups = [_image.block(f"block.{i}", *parts) for i, parts in enumerate(blocks)]
        groups[-1] = _image.last_block(groups[-1], then=_image.average())
        return [_image.stem("stem", body.conv_stem), *groups, _image.head(model.dropout, model.classifier)]


ANATOMY = MobileNet
