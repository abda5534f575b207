"""warmstart: fine-tune a pretrained model with one command, and prove that it was worth it.

import warmstart as ws

result = ws.run("reviews.csv")              # the whole street: select, decide, adapt, tune, evaluate, report
print(result.headline)
ws.load(result.run).predict("what a film")  # [("positive", 0.97), ("negative", 0.03)]

Read process.py first: it is the whole system on one page.
"""

from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "run": "warmstart.process",
    "check": "warmstart.process",
    "rank": "warmstart.process",
    "plan": "warmstart.process",
    "tune": "warmstart.process",
    "prove": "warmstart.process",
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
