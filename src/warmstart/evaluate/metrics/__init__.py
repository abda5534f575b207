"""Metrics: one number over predictions, one file. The contract is `_metric.Metric`."""

from warmstart.base.family import Family

METRICS = Family(__name__, "METRIC")
