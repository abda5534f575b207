"""One label for a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Finding
from warmstart.data.images import open_image
from warmstart.models.inputs import ImageInputs, Inputs
from warmstart.models.load import Pretrained
from warmstart.tasks._classification import Classification


@dataclass(frozen=True)
class ImageClassification(Classification):
    modality = "image"
    pipeline = "image-classification"
    roles = ("image", "label")

    def encode(
        self, pretrained: Pretrained, values: Sequence[object], folder: Path | None = None
    ) -> tuple[Inputs, list[Finding]]:
        """Decode, resize and crop once; pixels stay bytes where the processor's scaling can be done later."""
        processor = pretrained.processor
        late = scaling(processor, values[0])
        ready = [prepare(processor, value, scaled=late is None) for value in values]
        shapes = {array.shape for array in ready}
        if len(shapes) > 1:
            raise WarmstartError(
                f"{pretrained.source}: its processor gives {len(shapes)} sizes, {sorted(shapes)[:2]}",
                "set a crop or a fixed size in preprocessor_config.json",
                "ragged-images",
            )
        nothing = np.zeros(3, np.float32)
        scale, shift = late if late is not None else (nothing, nothing)
        return ImageInputs(np.stack(ready), scale, shift), []


def prepare(processor: Any, value: Any, scaled: bool) -> NDArray[Any]:
    """One picture (3 x H x W) through the processor, with or without its scaling."""
    later = {} if scaled else {"do_rescale": False, "do_normalize": False}
    return np.asarray(processor(open_image(value), return_tensors="np", **later)["pixel_values"][0])


def scaling(processor: Any, value: object) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Factor and shift that turn bytes into what the processor gives; None where it does more than that."""
    raw = prepare(processor, value, scaled=False)
    if raw.dtype != np.uint8:
        return None
    factor = processor.rescale_factor if processor.do_rescale else 1.0
    mean = np.asarray(processor.image_mean if processor.do_normalize else [0.0] * len(raw), np.float64)
    std = np.asarray(processor.image_std if processor.do_normalize else [1.0] * len(raw), np.float64)
    scale, shift = (factor / std).astype(np.float32), (-mean / std).astype(np.float32)
    whole = prepare(processor, value, scaled=True)
    close = np.allclose(raw * scale[:, None, None] + shift[:, None, None], whole, atol=2e-6, rtol=0)
    return (scale, shift) if close else None


TASK = ImageClassification
