"""Classes that the recommended run never names, though test rows have them: one line that figures hide."""

from __future__ import annotations

from warmstart.base.result import Confusion
from warmstart.base.types import Finding

SHOWN = 10


def silent(confusion: Confusion, run: str) -> tuple[Finding, ...]:
    """A finding with the classes that have test rows and are the answer to none; nothing where all are."""
    never = [
        label
        for i, label in enumerate(confusion.labels)
        if any(confusion.matrix[i]) and not any(row[i] for row in confusion.matrix)
    ]
    if not never:
        return ()
    names = ", ".join(never[:SHOWN]) + (f" and {len(never) - SHOWN} more" if len(never) > SHOWN else "")
    do = "add training rows of these classes, or do not count on the model for them"
    return (Finding("answers", "warning", f"the {run} run never predicts: {names}", do, len(never)),)
