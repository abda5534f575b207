"""Proofs: one thing that is promised of every training, checked on its own objects, one file."""

from warmstart.base.family import Family

PROOFS = Family(__name__, "PROOF")
