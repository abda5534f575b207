"""What Python hands over as a picture or a text, as the tasks take it."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from warmstart.base.errors import WarmstartError


def as_asked(value: Any, modality: str) -> Any:
    """Pictures in memory as PNG bytes, which lose nothing; anything a task cannot take is refused."""
    from PIL import Image

    is_picture = isinstance(value, (np.ndarray, Image.Image))
    if modality == "image":
        return png(picture(value)) if is_picture else value
    if is_picture or isinstance(value, (bytes, bytearray, dict, list, tuple)):
        raise WarmstartError(
            f"this run answers texts, and was given a {type(value).__name__}", "give a str", "no-input"
        )
    return value


def picture(value: Any) -> Any:
    """A picture of PIL; arrays are H x W, or H x W x 3 or 4, of bytes 0 to 255."""
    from PIL import Image

    if isinstance(value, Image.Image):
        return value
    shape, kind = value.shape, value.dtype
    if (
        kind != np.uint8
        or not (value.ndim == 2 or (value.ndim == 3 and shape[2] in (3, 4)))
        or not value.size
    ):
        raise WarmstartError(
            f"an array of shape {shape} and type {kind} is no picture",
            "give H x W, H x W x 3 or H x W x 4 values of type uint8, from 0 to 255",
            "no-input",
        )
    return Image.fromarray(value)


def png(image: Any) -> bytes:
    buffer = io.BytesIO()
    try:
        image.save(buffer, "PNG")
    except (OSError, ValueError):  # a mode that PNG has no place for
        image.convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()
