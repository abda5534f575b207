"""Which models are meant: a folder of folders is all models in it, none is given twice, names tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Candidate
from warmstart.models.card import CONFIG, locate


def expand(source: str) -> list[str]:
    """The models in a folder that is none itself but holds some, by name; of anything else, itself."""
    try:
        folder = Path(source).expanduser()
        inside = sorted(path.parent.name for path in folder.glob(f"*/{CONFIG}"))
        is_model = not source or (folder / CONFIG).exists()
    except (OSError, RuntimeError, ValueError):  # no path at all; opening it says so
        return [source]
    return [source] if is_model or not inside else [str(Path(source) / name) for name in inside]


def refuse_twice(sources: Iterable[str]) -> None:
    """Raises WarmstartError where two sources are one model, and where one cannot be a model at all."""
    known: dict[str, str] = {}
    for source in sources:
        where = locate(source)
        if where in known:
            also = "" if source == known[where] else f": {known[where]} is the same model"
            raise WarmstartError(
                f"--from {source} is given twice{also}", "give it once", "same-candidate-twice"
            )
        known[where] = source


def distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The same; those that share a name are called by their folder or owner too, or by all of their path."""
    short = [candidate.name for candidate in candidates]
    longer = ["/".join(Path(candidate.source).parts[-2:]) for candidate in candidates]
    whole = [candidate.source for candidate in candidates]
    names = choose_unique(short, choose_unique(longer, whole))
    return [replace(candidate, name=name) for candidate, name in zip(candidates, names, strict=True)]


def choose_unique(names: Sequence[str], others: Sequence[str]) -> list[str]:
    """Each name, or the other where it is not the only one of its kind."""
    times = Counter(names)
    return [other if times[name] > 1 else name for name, other in zip(names, others, strict=True)]
