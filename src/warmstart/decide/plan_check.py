"""From plain tables to a Plan, strictly: keys, types and ranges; faults named with their line."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from math import inf
from typing import Any

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.tables import from_table
from warmstart.base.types import Phase, Plan
from warmstart.decide.safe_yaml import Lines, Path

# A test with what to write instead, or the words to choose from.
Limit = tuple[Callable[[Any], bool], str] | tuple[str, ...]

PHASE_LIMITS: dict[str, Limit] = {
    "learn": (lambda v: len(v) > 0, 'write names of layer groups, "*" for all, or "top:3"'),
    "lr": (lambda v: 0 < v < inf, "write a number above 0"),
    "epochs": (lambda v: v >= 1, "write a whole number from 1"),
    "decay": (lambda v: 0 < v <= 1, "write a factor above 0, at most 1"),
    "warmup": (lambda v: 0 <= v <= 1, "write a share from 0 to 1"),
    "schedule": ("linear", "cosine", "constant"),
    "weight_decay": (lambda v: 0 <= v < inf, "write a number from 0"),
    "solver": ("adamw", "logistic"),
    "leave": (lambda v: 0 <= v < 1, "write a share from 0 to below 1"),
    "head_lr": (lambda v: 0 <= v < inf, "write a number above 0, or 0 for the rate of the topmost group"),
}
PLAN_LIMITS: dict[str, Limit] = {
    "phases": (lambda v: len(v) > 0, "a plan needs at least one phase"),
    "batch": (lambda v: v >= 1, "write a whole number of rows from 1"),
    "micro_batch": (lambda v: v >= 0, "write a number of rows, or 0 for the whole batch"),
    "clip": (lambda v: 0 < v < inf, "write a number above 0"),
    "norm_statistics": ("frozen", "learn"),
    "precision": ("auto", "fp32", "bf16"),
}


def plan_of(table: Any, where: str, lines: Lines | None = None) -> Plan:
    """The Plan that a plain table describes; `where` and `lines` say in an error where it was written."""
    lines = lines or {}
    if not isinstance(table, Mapping):
        raise WarmstartError(
            f"{where} holds {shown(table)}, not a plan", "write a table: strategy, task, phases", "no-plan"
        )
    table = dict(table)
    for name in ("edits", "guards"):
        check_parts(table.get(name, []), name, where, lines)
    if isinstance(table.get("phases"), list):
        table["phases"] = [
            built(Phase, row, where, lines, ("phases", i)) for i, row in enumerate(table["phases"])
        ]
    plan: Plan = built(Plan, table, where, lines, ())
    for i, phase in enumerate(plan.phases):
        check_limits(phase, PHASE_LIMITS, where, lines, ("phases", i))
    check_limits(plan, PLAN_LIMITS, where, lines, ())
    return plan


def built(kind: type[Any], table: Any, where: str, lines: Lines, path: Path) -> Any:
    """`from_table`, with the line of the offending key in the message."""
    here = place(where, lines, path)
    try:
        return from_table(kind, table, here)
    except WarmstartError as error:
        key = culprit(error, table, here)
        there = here if key is None else place(where, lines, (*path, key), path)
        do = error.do.replace("a valid tuple", "a list, for example [head]")
        raise WarmstartError(there + error.wrong[len(here) :], do, error.code) from None


def culprit(error: WarmstartError, table: Any, here: str) -> str | None:
    """The key of `table` that the message of `from_table` is about."""
    openings = ("{} has no setting {!r}", "{}: {} =", "{}: {}.")
    keys = table if isinstance(table, Mapping) else ()
    return next(
        (str(k) for k in keys if error.wrong.startswith(tuple(o.format(here, k) for o in openings))), None
    )


def place(where: str, lines: Lines, path: Path, named: Path | None = None) -> str:
    """Such as "plan.yaml, line 7, phases.0": the line of `path`, and the name of the table that holds it."""
    named = path if named is None else named
    line = f", line {lines[path]}" if path in lines and path else ""
    return f"{where}{line}" + (f", {dotted(named)}" if named else "")


def dotted(path: Path) -> str:
    return ".".join(map(str, path))


def check_parts(parts: Any, name: str, where: str, lines: Lines) -> None:
    """Edits and guards are lists of tables with a name; their settings are checked where they are built."""
    if not isinstance(parts, (list, tuple)):
        raise WarmstartError(
            f"{place(where, lines, (name,))} is {shown(parts)}",
            f"write a list: {name}: [{{name: ...}}]",
            "wrong-value",
        )
    for i, part in enumerate(parts):
        if not (isinstance(part, Mapping) and isinstance(part.get("name"), str)):
            raise WarmstartError(
                f"{place(where, lines, (name, i))} is {shown(part)}",
                "write a table with a name: {name: ...}",
                "wrong-value",
            )


def check_limits(value: Any, limits: dict[str, Limit], where: str, lines: Lines, path: Path) -> None:
    """Refuse the first field of `value` that is outside its limit."""
    for field in fields(value):
        limit = limits.get(field.name)
        found = getattr(value, field.name)
        advice = None if limit is None else fault(found, limit)
        if advice is not None:
            here = place(where, lines, (*path, field.name), path)
            raise WarmstartError(f"{here}: {field.name} = {shown(found)}", advice, "wrong-value")


def fault(value: Any, limit: Limit) -> str | None:
    """What to write instead of `value`, or None if it is within the limit."""
    first, *rest = limit
    if callable(first):
        return None if first(value) else str(rest[0])
    words = tuple(map(str, limit))
    return None if value in words else did_you_mean(str(value), words)


def shown(value: Any) -> str:
    """A value as an error shows it: short."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
