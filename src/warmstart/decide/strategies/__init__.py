"""Strategies: which layers learn, how fast, in which order. One strategy, one file."""

from warmstart.base.family import Family

STRATEGIES = Family(__name__, "STRATEGY")
