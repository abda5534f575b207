"""Duplicates: rows that say nothing new are learned again and again, and count as rows."""

from dataclasses import dataclass

from warmstart.base.types import Cause
from warmstart.evaluate.causes._case import Case


@dataclass(frozen=True)
class Duplicates:
    """As strong as the share of training rows that are nearly the same as another one before them."""

    def look(self, case: Case) -> Cause | None:
        finding = case.found("effective_rows")
        if finding is None or not case.rows:
            return None
        share, distinct = min(1.0, finding.count / case.rows), max(1, case.rows - finding.count)
        why = (
            f"{finding.count:,} of {case.rows:,} training rows are nearly the same as another one, so that "
            f"{distinct:,} are different"
        )
        seen = {"share that says nothing new": share, "different rows": float(distinct)}
        do = f"collect rows of other things, and count these as {distinct:,}; or drop what repeats"
        return Cause("duplicates", why, seen, min(0.95, share), do)


CAUSE = Duplicates
