"""Probes: one thing measured over finished runs, one file.

Each is a frozen dataclass with `measure(recommended: str, runs: Mapping[str, Run]) -> list[Measure]`.
"""

from warmstart.base.family import Family

PROBES = Family(__name__, "PROBE")
