"""Readers: one file format, one file."""

from warmstart.base.family import Family

READERS = Family(__name__, "READER")
