"""warmstart.json beside a model: what warmstart knows of it that transformers has no place for."""

from __future__ import annotations

from math import inf
from pathlib import Path

from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_table, write_json

NAME = "warmstart.json"


def write_temperature(folder: Path, temperature: float) -> None:
    """Keep what logits are divided by before probabilities are made; 1 leaves them as they are."""
    write_json(folder / NAME, {"temperature": temperature})


def read_temperature(folder: Path) -> float:
    """The temperature of a model folder, above 0; 1 where none is kept. WarmstartError for anything else."""
    path = folder / NAME
    if not path.is_file():
        return 1.0
    found = read_table(path, "delete it, and probabilities are as the model gives them", "bad-config").get(
        "temperature", 1.0
    )
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < inf:
        raise WarmstartError(
            f"{path}: temperature = {found!r}", "write a number above 0; 1 changes nothing", "wrong-value"
        )
    return float(found)
