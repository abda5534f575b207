"""What a configuration may ask for: a lie of a few bytes must not fill the memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from warmstart.base.errors import WarmstartError

MOST_LAYERS = 1_000
MOST_CLASSES = 1_000_000
MOST_PARAMETERS = 200_000_000_000  # where no file says how many there are
SPARE = 20_000_000  # parameters that a fresh head may add to what lies in the file
COUNTS = ("layers", "layer", "depths", "depth", "blocks", "stages")  # ends of keys that count layers
NAMES = ("label2id", "id2label")
DO = "the folder's config.json cannot be right for its weights; take the model anew"


class TooLarge(Exception):
    """More parameters than there may be."""


def check_numbers(table: Any, source: str, most_layers: int) -> None:
    """Refuse numbers of layers or classes that cannot be; `table` is what config.json holds."""
    for key, value in numbers_in(table):
        most = MOST_CLASSES if key == "num_labels" else most_layers if key.endswith(COUNTS) else None
        if most is not None and value > most:
            raise WarmstartError(
                f"{source}: its configuration asks for {key} = {value:,}, and {most:,} is the most",
                DO,
                "config-too-large",
            )


def numbers_in(table: Any) -> Iterator[tuple[str, float]]:
    """Keys and numbers of a nested table; of a list of numbers the largest."""
    waiting = [table]
    while waiting:
        for key, value in waiting.pop().items():
            if key in NAMES:  # whose keys are the users' words: "CD player" counts no layers
                continue
            if isinstance(value, dict):
                waiting.append(value)
            values = value if isinstance(value, list) else [value]
            numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
            yield str(key), max(numbers, default=0)


def check_size(auto: Any, config: Any, source: str, in_file: int) -> None:
    """Build the shape of the model without memory, and refuse it if its weights cannot be in the file.

    `in_file` is how many numbers the files of weights hold; 0 if nobody knows. Raises ValueError where the
    configuration is of a model that `auto` has no class for.
    """
    most = 2 * in_file + SPARE if in_file else MOST_PARAMETERS
    try:
        with torch.random.fork_rng(), at_most(most), torch.device("meta"):
            auto.from_config(config, dtype=torch.float32, trust_remote_code=False)
    except TooLarge:
        where = f"its files hold {in_file:,}" if in_file else "no machine holds them"
        raise WarmstartError(
            f"{source}: its configuration asks for more than {most:,} parameters, and {where}",
            DO,
            "config-too-large",
        ) from None
    except (RuntimeError, NotImplementedError) as error:  # sizes that overflow; classes that need real memory
        if "overflow" in str(error) or "too large" in str(error):
            raise WarmstartError(
                f"{source}: its configuration asks for {error}", DO, "config-too-large"
            ) from None


@contextmanager
def at_most(parameters: int) -> Iterator[None]:
    """Stop the building of modules with TooLarge once they have more parameters than this."""
    left = parameters

    def count(module: nn.Module, name: str, parameter: nn.Parameter | None) -> None:
        nonlocal left
        left -= 0 if parameter is None else parameter.numel()
        if left < 0:
            raise TooLarge

    hook = register_module_parameter_registration_hook(count)
    try:
        yield
    finally:
        hook.remove()
