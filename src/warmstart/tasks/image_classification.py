"""One label for a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.base.types import Finding
from warmstart.data.images import name_of
from warmstart.models.inputs import ImageInputs, Inputs
from warmstart.models.load import Pretrained
from warmstart.tasks._classification import Classification
from warmstart.tasks._pixels import NARROW, Preparation, pixels_of

SHOWN = 5


@dataclass(frozen=True)
class ImageClassification(Classification):
    modality = "image"
    pipeline = "image-classification"
    roles = ("image", "label")
    baseline = "colours_and_edges"

    def encode(
        self, pretrained: Pretrained, values: Sequence[Any], folder: Path | None = None
    ) -> tuple[Inputs, list[Finding]]:
        """Decode, resize and crop once; pixels stay bytes where the processor's scaling can be done later."""
        preparation = Preparation.of(pretrained.processor, values[0])
        pixels = pixels_of(preparation, values, folder, pretrained.source)
        found = narrow_images([name_of(values[i]) for i in pixels.narrow], len(values))
        return ImageInputs(pixels.array, preparation.scale, preparation.shift, pixels.lease), found


def narrow_images(names: list[str], total: int) -> list[Finding]:
    if not names:
        return []
    return [
        Finding(
            "narrow_images",
            "warning",
            f"{len(names):,} of {total:,} images are more than {NARROW} times as long as wide",
            "only their middle is looked at",
            len(names),
            tuple(names[:SHOWN]),
        )
    ]


TASK = ImageClassification
