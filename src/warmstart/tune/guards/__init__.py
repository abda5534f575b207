"""Guards: one mitigation of overfitting, forgetting or dependency, one file."""

from warmstart.base.family import Family

GUARDS = Family(__name__, "GUARD")
