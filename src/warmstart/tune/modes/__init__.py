"""Modes of learning: where examples and loss come from. One mode, one file."""

from warmstart.base.family import Family

MODES = Family(__name__, "MODE")
