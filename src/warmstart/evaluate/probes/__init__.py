"""Probes: one thing measured over finished runs, one file."""

from warmstart.base.family import Family

PROBES = Family(__name__, "PROBE")
