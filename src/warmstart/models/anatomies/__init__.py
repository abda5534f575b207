"""Anatomies: the order of an architecture's layers. One architecture family, one file."""

from warmstart.base.family import Family

ANATOMIES = Family(__name__, "ANATOMY")
