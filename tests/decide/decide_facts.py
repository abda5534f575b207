"""Facts for the tests of decide: of a text encoder with six layers, or of a picture model."""

from dataclasses import replace
from typing import Any

from warmstart.base.types import Facts

LAYERS = tuple(f"layer.{i}" for i in range(6))
TEXT = Facts(
    task="text_classification",
    modality="text",
    rows=352,
    classes=4,
    fewest_per_class=60,
    median_per_class=85.0,
    floor=0.3,
    probe=0.86,
    groups=("embeddings", *LAYERS, "pooler", "head"),
    depths={},
    parameters=22_700_000,
    pretrained=True,
    head_is_linear=True,
    can_pool=True,
    can_cut=True,
    has_batch_norm=False,
)
IMAGE = replace(
    TEXT,
    task="image_classification",
    modality="image",
    groups=("stem", *(f"block.{i}" for i in range(10)), "head"),
    can_pool=False,
    can_cut=False,
    has_batch_norm=True,
)


def text(**changes: Any) -> Facts:
    return replace(TEXT, **changes)


def image(**changes: Any) -> Facts:
    return replace(IMAGE, **changes)


def depths(embeddings: float, *scores: float, pooler: float) -> dict[str, float]:
    """Probe scores of all depths of TEXT, from input to top."""
    return {"embeddings": embeddings, **dict(zip(LAYERS, scores, strict=True)), "pooler": pooler}
