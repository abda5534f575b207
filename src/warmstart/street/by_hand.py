"""What a person changed in plan.yaml, as the settings that would change the same on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from warmstart.base.tables import to_table
from warmstart.base.types import Plan


def settings(decided: Plan, followed: Plan) -> tuple[str, ...]:
    """`--set` settings that turn the plan that was decided into the one that is followed, reasons apart."""
    before, after = (to_table(replace(plan, reasons=())) for plan in (decided, followed))
    return tuple(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in changes(before, after))


def changes(before: Any, after: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and new values: of single values where the shape stayed, else of the whole."""
    if before == after:
        return
    pairs = side_by_side(before, after)
    if pairs is None:
        yield name, after
        return
    for key, old, new in pairs:
        yield from changes(old, new, f"{name}.{key}" if name else str(key))


def side_by_side(before: Any, after: Any) -> list[tuple[Any, Any, Any]] | None:
    """Key, old and new value of each entry; None where the two are not tables or lists of one shape."""
    if isinstance(before, dict) and isinstance(after, dict) and before.keys() == after.keys():
        return [(key, before[key], after[key]) for key in before]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after) and nested(before):
        return [(i, old, new) for i, (old, new) in enumerate(zip(before, after, strict=True))]
    return None


def nested(values: list[Any]) -> bool:
    """Tables, such as phases; a list of plain values, such as the groups that learn, changes as a whole."""
    return all(isinstance(value, dict) for value in values)
