"""warmstart list: what can be plugged in."""

from typing import Annotated

import typer

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.cli import flags

FAMILIES = {
    "tasks": "tasks",
    "floors": "floors",
    "readers": "data.readers",
    "writers": "data.writers",
    "checks": "data.checks",
    "anatomies": "models.anatomies",
    "scores": "select.scores",
    "strategies": "decide.strategies",
    "edits": "adapt.edits",
    "guards": "tune.guards",
    "modes": "tune.modes",
    "metrics": "evaluate.metrics",
    "causes": "evaluate.causes",
    "probes": "evaluate.probes",
    "proofs": "street.proofs",
    "forms": "report.forms",
}


def command(
    family: Annotated[
        str, typer.Argument(metavar="FAMILY", help=", ".join(FAMILIES), show_default=False)
    ] = "",
    as_json: flags.Json = False,
) -> None:
    """List the parts of a family (or the families), each with its first sentence."""
    import json

    if not family:
        found = {name: f"warmstart/{place.replace('.', '/')}" for name, place in FAMILIES.items()}
    else:
        if family not in FAMILIES:
            raise WarmstartError(f"no family {family!r}", did_you_mean(family, FAMILIES), "no-such-family")
        parts = family_of(family)
        found = {name: parts.first_line(name) for name in parts.names()}
    if as_json:
        print(json.dumps(found, indent=2))
        return
    width = max(map(len, found), default=0)
    for name, line in found.items():
        print(f"{name:<{width}}  {line}")


def family_of(name: str):  # type: ignore[no-untyped-def]
    """The Family that stands in the folder's __init__; importing it imports no part."""
    from importlib import import_module

    return getattr(import_module(f"warmstart.{FAMILIES[name]}"), name.upper())
