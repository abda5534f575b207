"""Scores: how good a start are these features for these labels? One score, one file."""

from warmstart.base.family import Family

SCORES = Family(__name__, "SCORE")
