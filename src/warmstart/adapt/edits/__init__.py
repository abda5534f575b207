"""Edits: one change of a model's architecture, one file."""

from warmstart.base.family import Family

EDITS = Family(__name__, "EDIT")
