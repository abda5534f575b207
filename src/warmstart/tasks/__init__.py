"""Tasks: what the model must answer and how it is scored. One task, one file."""

from warmstart.base.family import Family

TASKS = Family(__name__, "TASK")
