"""Metrics: one number over predictions, one file."""

from warmstart.base.family import Family

METRICS = Family(__name__, "METRIC")
