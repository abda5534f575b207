"""Floating-point operations that a transformer encoder needs for real tokens: padding is not counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.work.work import Work

BACKWARD = 2  # times the forward pass


def of_training(work: Work, train: Sequence[int], validation: Sequence[int]) -> float:
    """All epochs with the evaluations between them; `train` and `validation` are tokens a row."""
    config = json.loads((Path(work.network) / "config.json").read_text(encoding="utf-8"))
    once, looked = of_rows(config, train), of_rows(config, validation)
    return work.epochs * (1 + BACKWARD) * once + (work.epochs + 1) * looked


def of_rows(config: dict[str, int], lengths: Sequence[int]) -> float:
    """One forward pass: two operations for each weight and token, and attention over a row's own tokens."""
    width, layers = config["hidden_size"], config["num_hidden_layers"]
    weights = layers * (4 * width**2 + 2 * width * config["intermediate_size"])
    tokens, pairs = sum(map(float, lengths)), sum(float(n) ** 2 for n in lengths)
    return 2 * weights * tokens + 4 * layers * width * pairs
