"""Which column is what: the text or image, the label, the group.

Names decide first, then values; every choice is explained and can be overridden.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.types import Finding
from warmstart.data.columns import Column
from warmstart.data.images import is_file
from warmstart.data.names import (
    GROUP_NAMES,
    LABEL_NAMES,
    NOT_A_LABEL,
    SPLIT_COLUMNS,
    SURE_LABELS,
    TEXT_NAMES,
    flag,
)
from warmstart.data.readers._folders import split_named
from warmstart.data.readers._table import BASE, SPLIT, user_columns

FEWEST_GROUPS = 5  # a column found by its name alone must have this many values to keep rows together


@dataclass(frozen=True)
class Asked:
    """The roles that the user names; None is left to be found, group "none" is no group."""

    text: str | None = None
    image: str | None = None
    label: str | None = None
    group: str | None = None


def find_roles(table: Any, asked: Asked, source: str) -> tuple[dict[str, str], list[Finding]]:
    """The role -> column of a table, with a finding for every choice.

    Raises WarmstartError for a column that is not there, and where no column can be the input or the label.
    """
    columns = {n: Column(n, table.column(n)) for n in user_columns(table)}
    for role, name in vars(asked).items():
        if name is not None and name not in columns and not (role == "group" and name == "none"):
            raise WarmstartError(
                f"{source} has no column {name!r} (asked for as {flag(role, name)})",
                did_you_mean(name, columns),
                "missing-column",
            )
    if asked.text and asked.image:
        raise WarmstartError(
            "both a text and an image column are given", "learn from one: leave the other out", "two-inputs"
        )
    if not asked.label and len(columns) == 1:
        raise WarmstartError(
            f"{source} has one column, {next(iter(columns))!r}; learning needs an input and a label",
            "add a column of labels; if there is one, check the delimiter (comma, semicolon, tab or bar)",
            "no-label",
        )
    label = _label(columns, asked, source)
    others = {n: c for n, c in columns.items() if n != label.name}
    role, column = _input(others, asked, source, table)
    group, notes = _group({n: c for n, c in others.items() if n != column.name}, asked)
    roles = {role: column.name, "label": label.name} | ({"group": group.name} if group else {})
    return roles, [_explained(roles, label, columns), *notes]


def _label(columns: dict[str, Column], asked: Asked, source: str) -> Column:
    if asked.label:
        column = columns[asked.label]
        if column.no_label:
            raise _unusable(column, columns, source)
        return column
    taken = {asked.text, asked.image, asked.group}
    named = [columns[n] for n in _by_name(columns, LABEL_NAMES) if n not in taken]
    for column in named:
        if not column.no_label:
            return column
        if column.name.lower() in SURE_LABELS:
            raise _unusable(column, columns, source)
    names = frozenset((*TEXT_NAMES, *SPLIT_COLUMNS)) | GROUP_NAMES | NOT_A_LABEL
    usable = [
        c
        for n, c in columns.items()
        if n not in taken and n.lower() not in names and not c.no_label and c.distinct > 1
    ]
    if usable:  # the fewest values; of equals the last, where tables tend to have it
        return min(reversed(usable), key=lambda c: c.distinct)
    raise _unusable(None, columns, source)


def _by_name(columns: dict[str, Column], names: Sequence[str]) -> list[str]:
    """Columns whose name is one of `names`, in the order of `names`."""
    known = {name: place for place, name in enumerate(names)}
    return sorted((n for n in columns if n.lower() in known), key=lambda n: known[n.lower()])


def _unusable(column: Column | None, columns: dict[str, Column], source: str) -> WarmstartError:
    """No label can be had: what was seen, and how to name one."""
    usable = [c.name for c in columns.values() if not c.no_label and c is not column]
    advice = (
        f"name the column of classes: --label {usable[0]}"
        if usable
        else "add a column of classes that repeat"
    )
    if column is not None:
        code = "labels-missing" if not column.filled else "no-label"
        advice = "fill it in" if not column.filled and not usable else advice
        return WarmstartError(f"{source}: label column {column.name!r} {column.no_label}", advice, code)
    seen = "; ".join(
        f"{c.name!r} {c.no_label or 'has ' + str(c.distinct) + ' value(s)'}"
        for c in list(columns.values())[:6]
    )
    return WarmstartError(f"{source}: no column can be the label: {seen}", advice, "no-label")


def _input(columns: dict[str, Column], asked: Asked, source: str, table: Any) -> tuple[str, Column]:
    if asked.image:
        return "image", columns.get(asked.image) or _raise_same(asked.image)
    if asked.text:
        return "text", columns.get(asked.text) or _raise_same(asked.text)
    images = [c for c in columns.values() if c.is_image and c.filled]
    texts = [columns[n] for n in _by_name(columns, TEXT_NAMES) if columns[n].is_text]
    texts += sorted(_free_texts(columns, texts), key=lambda c: -c.length)
    if images and (not texts or _exists(images[0], table)):
        return "image", images[0]
    if texts:
        return "text", texts[0]
    raise WarmstartError(
        f"{source}: no column but the label holds texts or images (columns: {', '.join(columns)[:120]})",
        "name it: --text COLUMN or --set image=COLUMN; tables of numbers are not learned from",
        "no-input",
    )


def _raise_same(name: str) -> Column:
    raise WarmstartError(
        f"column {name!r} is both the input and the label", "name another --label", "two-roles"
    )


def _free_texts(columns: dict[str, Column], named: list[Column]) -> list[Column]:
    """Columns of strings that are not numbers, ids that repeat, or dates."""
    aside = NOT_A_LABEL | frozenset(SPLIT_COLUMNS)
    rest = [c for n, c in columns.items() if c not in named and n.lower() not in aside and c.is_text]
    ids = [c for c in rest if c.name.lower() in GROUP_NAMES and _repeats(c)]
    return [c for c in rest if c.filled and not c.is_number and c not in ids]


def _exists(column: Column, table: Any) -> bool:
    """Does one of the first images exist? A column of file names whose files are elsewhere is no input."""
    if column.is_binary:
        return True
    folders = table.column(BASE)[:50].to_pylist()
    names = column.values[:50].to_pylist()
    return any(name and is_file(Path(folder, name)) for folder, name in zip(folders, names, strict=True))


def _group(columns: dict[str, Column], asked: Asked) -> tuple[Column | None, list[Finding]]:
    if asked.group == "none" and "none" not in columns:
        return None, []
    if asked.group:
        if asked.group not in columns:
            raise WarmstartError(
                f"--group {asked.group} is the input or the label", "name another column", "two-roles"
            )
        return columns[asked.group], []
    for name in columns:
        column = columns[name]
        if name.lower() not in GROUP_NAMES or not column.is_plain or not _repeats(column):
            continue
        if column.distinct >= FEWEST_GROUPS:
            what = f"rows of the same {name!r} ({column.distinct:,} values) stay in the same split"
            return column, [Finding("roles", "note", what, "to split regardless: --group none")]
        what = f"{name!r} could group rows, but has only {column.distinct} values"
        return None, [Finding("roles", "note", what, f"not used; to keep its rows together: --group {name}")]
    return None, []


def _repeats(column: Column) -> bool:
    return 1 < column.distinct <= 0.9 * column.filled and column.length <= 64


def _explained(roles: dict[str, str], label: Column, columns: dict[str, Column]) -> Finding:
    said = [f"label is {label.name!r} ({label.distinct:,} values in {label.filled:,} rows)"]
    said += [f"{role} is {name!r}" for role, name in roles.items() if role != "label"]
    rest = [c.brief for c in columns.values() if c.name not in roles.values()]
    if rest:
        said.append(f"not used: {', '.join(rest[:8])}{' ...' if len(rest) > 8 else ''}")
    flags = ", ".join(flag(role, "COLUMN") for role in roles)
    return Finding("roles", "note", "; ".join(said), f"to choose others: {flags}")


def split_column(table: Any) -> str | None:
    """The name of a column whose every value names a split, where the files themselves name none."""
    if table.column(SPLIT).null_count < len(table):
        return None
    for name in user_columns(table):
        if name.lower() not in SPLIT_COLUMNS or not Column(name, table.column(name)).is_text:
            continue
        values = set(table.column(name).unique().to_pylist())
        named = {split_named(v) if v else None for v in values}
        if None not in named and "train" in named and len(named) > 1:
            return str(name)
    return None
