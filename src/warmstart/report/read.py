"""result.json -> Result, strictly: what the JSON form wrote, read back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.base.result import Result
from warmstart.base.tables import from_table, to_table


def read_result(path: Path) -> Result:
    """The Result that the file holds.

    Raises WarmstartError where the file is missing, no JSON, or has keys or values that a Result has not.
    """
    table = _read(path)
    result = from_table(Result, table, where=path.name)
    # from_table checks the outermost keys; inside, unknown keys are dropped and values converted silently.
    if stray := _stray(table, to_table(result)):
        raise WarmstartError(
            f"{path}: {stray} is not what a result holds",
            "write it again with `warmstart report`, or update warmstart if a newer version wrote it",
            "wrong-result",
        )
    return result


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise _no_result(f"there is no result at {path}", "no-result") from None
    except UnicodeDecodeError as error:
        raise _no_result(f"{path}: byte {error.start} is not UTF-8", "broken-result") from None
    except RecursionError:
        raise _no_result(f"{path}: brackets are nested too deeply", "broken-result") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _no_result(f"{path}, {where}: {error.msg.lower()}", "broken-result") from None


def _no_result(wrong: str, code: str) -> WarmstartError:
    return WarmstartError(wrong, "give the result.json of a finished run, as it was written", code)


def _stray(table: Any, back: Any, path: str = "") -> str:
    """The path of the first value of `table` that did not come back: unknown, or changed on the way."""
    if isinstance(table, Mapping) and isinstance(back, Mapping):
        pairs = [(key, value, back.get(key, ...)) for key, value in table.items()]
    elif isinstance(table, list) and isinstance(back, list) and len(table) == len(back):
        pairs = [(i, a, b) for i, (a, b) in enumerate(zip(table, back, strict=True))]
    else:
        same = table == back and isinstance(table, bool) == isinstance(back, bool)
        return "" if same else path
    found = (_stray(a, b, f"{path}.{key}" if path else str(key)) for key, a, b in pairs)
    return next((f for f in found if f), "")
