"""Why a run overfits: what speaks for each cause, the likeliest first, or that none can be told."""

from dataclasses import replace

from warmstart.base.types import Cause, Overfitting
from warmstart.evaluate.causes import CAUSES
from warmstart.evaluate.causes._case import Case

LEAST = 0.2  # strength from which on a cause is named


def explained(seen: Overfitting, case: Case) -> Overfitting:
    """The same with its causes, the first of them in its sentence. A run without a gap needs none."""
    if seen.verdict == "none seen":
        return seen
    found = causes(case)
    return replace(seen, causes=found, sentence=f"{seen.sentence}; {in_words(found)}")


def causes(case: Case) -> tuple[Cause, ...]:
    """All that are strong enough, strongest first; of equals the first by name."""
    asked = (CAUSES.get(name)().look(case) for name in CAUSES.names())
    found = [cause for cause in asked if cause is not None and cause.strength >= LEAST]
    return tuple(sorted(found, key=lambda cause: -cause.strength))


def in_words(found: tuple[Cause, ...]) -> str:
    return (
        f"likeliest cause: {found[0].name} ({found[0].why})" if found else "why cannot be told from this run"
    )
