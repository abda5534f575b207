"""Checks of the user's data: one trouble, one file."""

from warmstart.base.family import Family

CHECKS = Family(__name__, "CHECK")
