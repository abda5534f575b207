"""A family is a folder of interchangeable parts: one file, one part, one name.

The folder is the registry. The file name is the part's name, and a file is imported only when its part
is asked for, so listing a family never imports torch. Other packages join through the entry-point group
`warmstart.<family>` (name = the part's name, value = the module that defines it).
"""

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
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
        return joined(f"warmstart.{self.package.rsplit('.', 1)[-1]}") | own

    def names(self) -> list[str]:
        return sorted(self.modules)

    def get(self, name: str) -> Any:
        """The part named `name`, usually a dataclass; if there is none, an error names the nearest."""
        module = self.module_of(name)
        try:
            return getattr(import_module(module), self.export)
        except (ImportError, AttributeError) as error:
            if module.startswith("warmstart."):
                raise
            raise WarmstartError(
                f"{self.kind} {name!r} of {module} cannot be used ({error})",
                "update or remove the package that brings it",
                f"broken-{self.kind}",
            ) from error

    def module_of(self, name: str) -> str:
        """The module that defines the part."""
        if name not in self.modules:
            raise WarmstartError(
                f"no {self.kind} named {name!r}",
                did_you_mean(name, self.names()),
                code=f"no-such-{self.kind}",
            )
        return self.modules[name]

    def first_line(self, name: str) -> str:
        """The first sentence of the part's file, read without importing it."""
        import ast
        from importlib.util import find_spec
        from pathlib import Path

        try:
            spec = find_spec(self.module_of(name))
        except ImportError:  # the package above it is gone or broken
            spec = None
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


def joined(group: str) -> dict[str, str]:
    """Part name -> module of the parts that installed packages bring to a group; the first on the path wins.

    Only the few files that name the group are parsed: parsing those of all packages takes as long as all else
    that `warmstart list` does.
    """
    from importlib.metadata import distributions

    parts: dict[str, str] = {}
    for found in distributions():
        if f"[{group}]" in (found.read_text("entry_points.txt") or ""):
            for entry in found.entry_points:
                if entry.group == group:
                    parts.setdefault(entry.name, entry.value.partition(":")[0].strip())
    return parts
