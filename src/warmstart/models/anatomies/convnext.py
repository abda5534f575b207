"""ConvNeXt: a patch stem, stages of blocks, the mean over the map with a norm, a linear head."""

from dataclasses import dataclass
from typing import Any

from warmstart.models.anatomies import _image
from warmstart.models.anatomy import Group, base_of


@dataclass(frozen=True)
class ConvNext(_image.CannotCut):
    model_types = ("convnext",)

    def groups(self, model: Any) -> list[Group]:
        body = base_of(model)
        groups = []
        for i, stage in enumerate(body.encoder.stages):
            for j, layer in enumerate(stage.layers):
                before = list(stage.downsampling_layer) if j == 0 else []
                groups.append(_image.block(f"stage.{i}.{j}", *before, layer))
        pool = _image.average(body.layernorm)
        groups[-1] = _image.last_block(groups[-1], body.layernorm, then=pool)
        return [_image.stem("stem", body.embeddings), *groups, _image.head(model.classifier)]


ANATOMY = ConvNext
