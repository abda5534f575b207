"""Floors: what the rows give without any pretrained network. One floor, one file."""

from warmstart.base.family import Family

FLOORS = Family(__name__, "FLOOR")
