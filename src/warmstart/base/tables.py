"""Plain tables (what JSON and YAML hold) to dataclasses and back, strictly."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

from warmstart.base.errors import WarmstartError, did_you_mean

T = TypeVar("T")


def from_table(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    """Build the dataclass `kind` from `table`: unknown, missing and mistyped keys are errors, never defaults.

    `where` opens the message: "guard 'l2_sp'", "plan.yaml".
    """
    if not isinstance(table, Mapping):
        raise WarmstartError(f"{where} is {table!r}", f"write it as a table of {', '.join(known_keys(kind))}")
    known = known_keys(kind)
    for key in table:
        if key not in known:
            raise WarmstartError(
                f"{where} has no setting {key!r}", did_you_mean(str(key), known), "unknown-key"
            )
    for name in known:
        if name not in table and not known[name]:
            raise WarmstartError(f"{where} needs {name!r}", f"add `{name}: ...`", "missing-key")
    types = get_type_hints(kind)
    return kind(**{name: checked(types[name], value, f"{where}: {name}") for name, value in table.items()})


def checked(kind: Any, value: Any, where: str) -> Any:
    """`value` as the type `kind`; numbers may stand as text, anything else that does not fit is an error."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        first = error.errors()[0]
        path = "".join(f".{part}" for part in first["loc"])
        given = repr(first["input"])
        shown = given if len(given) <= 200 else f"{given[:197]}..."
        raise WarmstartError(f"{where}{path} = {shown}", first["msg"].lower(), "wrong-value") from None


def known_keys(kind: type[Any]) -> dict[str, bool]:
    """Setting name -> whether it has a default."""
    return {
        f.name: f.default is not MISSING or f.default_factory is not MISSING for f in fields(kind) if f.init
    }


def to_table(value: Any) -> Any:
    """The plain (JSON) form of a value: dataclasses become dicts, tuples lists; anything else stays."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_table(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): to_table(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_table(v) for v in value]
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value
