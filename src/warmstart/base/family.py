"""A family is a folder of interchangeable parts: one file, one part, one name.

The folder is the registry. The file name is the part's name, and a file is imported only when its part
is asked for, so listing a family never imports torch. Other packages join through the entry-point group
`warmstart.<family>` (name = the part's name, value = the module that defines it).
"""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.metadata import entry_points
from pkgutil import iter_modules
from typing import Any

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.tables import from_table


@dataclass(frozen=True)
class Family:
    """Interchangeable parts of one kind, found by file name.

    Family("warmstart.tune.guards", "GUARD").build({"name": "l2_sp", "weight": 0.01})
    """

    package: str  # "warmstart.tune.guards"
    export: str  # "GUARD": the name that every file of the family defines

    @property
    def kind(self) -> str:
        return self.export.lower()

    @cached_property
    def modules(self) -> dict[str, str]:
        """Part name -> the module that defines it; our own folder first, then other packages'."""
        folder = import_module(self.package).__path__
        own = {m.name: f"{self.package}.{m.name}" for m in iter_modules(folder) if not m.name.startswith("_")}
        group = f"warmstart.{self.package.rsplit('.', 1)[-1]}"
        return {e.name: e.value for e in entry_points(group=group)} | own

    def names(self) -> list[str]:
        return sorted(self.modules)

    def get(self, name: str) -> Any:
        """The part named `name`, usually a dataclass; if there is none, an error names the nearest."""
        if name not in self.modules:
            raise WarmstartError(
                f"no {self.kind} named {name!r}",
                did_you_mean(name, self.names()),
                code=f"no-such-{self.kind}",
            )
        return getattr(import_module(self.modules[name]), self.export)

    def first_line(self, name: str) -> str:
        """The first sentence of the part's file, read without importing it."""
        import ast
        from importlib.util import find_spec
        from pathlib import Path

        spec = find_spec(self.modules[name])
        if spec is None or spec.origin is None:
            return ""
        doc = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8"))) or ""
        return doc.split("\n\n")[0].replace("\n", " ")

    def build(self, table: dict[str, Any]) -> Any:
        """Turn `{"name": "l2_sp", "weight": 0.01}` into a ready part; unknown settings are errors."""
        if "name" not in table:
            raise WarmstartError(
                f"a {self.kind} without a name: {table}", f"one of: {', '.join(self.names())}"
            )
        settings = {k: v for k, v in table.items() if k != "name"}
        part = self.get(table["name"])
        return from_table(part, settings, where=f"{self.kind} {table['name']!r}")
