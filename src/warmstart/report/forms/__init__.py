"""Forms of the report: one format, one file."""

from warmstart.base.family import Family

FORMS = Family(__name__, "FORM")
