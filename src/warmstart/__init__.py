"""warmstart: fine-tune a pretrained model with one command, and prove that it was worth it.

import warmstart as ws

result = ws.run("reviews.csv")              # the whole street: select, decide, adapt, tune, evaluate, report
print(result.headline)
ws.load(result.run).predict("what a film")  # [("positive", 0.97), ("negative", 0.03)]

Read process.py first: it is the whole system on one page.
"""

import sys
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "run": "warmstart.process",
    "check": "warmstart.process",
    "clean": "warmstart.process",
    "rank": "warmstart.process",
    "plan": "warmstart.process",
    "tune": "warmstart.process",
    "prove": "warmstart.process",
    "report": "warmstart.process",
    "predict": "warmstart.process",
    "label": "warmstart.process",
    "load": "warmstart.serve.predict",
    "Plan": "warmstart.base.types",
    "Evidence": "warmstart.base.types",
    "Result": "warmstart.base.result",
    "WarmstartError": "warmstart.base.errors",
}
__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used, so that `import warmstart` costs nothing."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'warmstart' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


class _Package(ModuleType):
    """Python hangs a folder into its package on import; `tune` is the name of a folder and of a verb."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _PUBLIC and isinstance(value, ModuleType):
            value.__class__ = _FolderOfVerb
        super().__setattr__(name, value)


class _FolderOfVerb(ModuleType):
    """The folder, which can be called like the verb: warmstart.tune("runs/reviews-1")."""

    def __call__(self, *args: Any, **asked: Any) -> Any:
        return __getattr__(self.__name__.rpartition(".")[2])(*args, **asked)


sys.modules[__name__].__class__ = _Package
