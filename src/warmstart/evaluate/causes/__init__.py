"""Causes of overfitting: one thing that makes a run better on rows that it learned from, one file.

Each is a frozen dataclass with `look(case: Case) -> Cause | None`: what speaks for it in a run, or nothing.
"""

from warmstart.base.family import Family

CAUSES = Family(__name__, "CAUSE")
