"""warmstart schema: the JSON Schema of what is printed and of the plan file."""

from typing import Annotated

import typer

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.cli import frame


def command(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="result, plan or error.")] = "result",
    as_json: Annotated[bool, typer.Option("--json", help="It is JSON anyhow.")] = True,
) -> None:
    """Print the JSON Schema of a result (what --json prints), of plan.yaml, or of an error."""
    from pydantic import TypeAdapter

    from warmstart.base.result import Result
    from warmstart.base.types import Plan

    known = {
        "result": lambda: TypeAdapter(Result).json_schema(),
        "plan": lambda: TypeAdapter(Plan).json_schema(),
    }
    known["error"] = lambda: ERROR
    if what not in known:
        raise WarmstartError(f"no schema of {what!r}", did_you_mean(what, known), "no-such-schema")
    frame.show_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **known[what]()})


TEXT = {"type": "string"}
ERROR = {
    "title": "Error",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "wrong", "do"],
            "properties": {"code": TEXT, "wrong": TEXT, "do": TEXT},
        }
    },
}
