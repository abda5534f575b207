"""From whatever the user has to a Bundle: read, find the roles, check, split once, write, and read back.

bundle = open_bundle("reviews.csv", Path("runs/reviews-1/data"))
bundle = load_bundle(Path("runs/reviews-1/data"))  # the same
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.base.files import read_json, write_json
from warmstart.base.rows import Rows
from warmstart.base.types import Bundle, Finding
from warmstart.data.changes import changes_of
from warmstart.data.checks import checks_at
from warmstart.data.draft import Draft, Found, count
from warmstart.data.fingerprint import fingerprint
from warmstart.data.labels import in_order
from warmstart.data.near import near_pairs
from warmstart.data.prints import with_prints
from warmstart.data.readers._folders import split_named
from warmstart.data.readers._table import OWN, SPLIT, findings_of
from warmstart.data.settle import settle
from warmstart.data.sniff import Asked, find_roles, split_column
from warmstart.data.source import path_of, read_all
from warmstart.data.split import split
from warmstart.data.summary import summary

__all__ = ["load_bundle", "open_bundle", "summary"]

ROWS, DATA = "rows.arrow", "data.json"
SPLITS = ("train", "validation", "test")


def open_bundle(
    source: str,
    folder: Path,
    *,
    text: str | None = None,
    image: str | None = None,
    label: str | None = None,
    group: str | None = None,
    test: str | None = None,
    validation: str | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Bundle:
    """Read `source` (a file, a folder or a hub id), check it, split it once and write it to `folder`.

    `text`, `image`, `label` and `group` name columns that would else be found; group "none" is no group.
    `test` and `validation` name files or folders for these splits. `limit` is the most rows for train and
    validation together. `folder` then holds rows.arrow and data.json; if anything fails, no data.json.
    Raises WarmstartError for whatever the user can put right.
    """
    _forget(folder)
    if limit is not None and limit < 1:
        raise WarmstartError(f"--rows is {limit}", "use 1 or more rows, or leave it out", "limit-too-small")
    draft, findings = checked_draft(source, Asked(text, image, label, group), test, validation)
    draft, divided = _divided(draft, seed, limit)
    draft, findings = _checked(draft, [*findings, divided], "splits")
    return _written(draft, tuple(findings), source, folder)


def checked_draft(
    source: str, asked: Asked, test: str | None = None, validation: str | None = None
) -> tuple[Draft, list[Finding]]:
    """All rows that can be used, not yet divided, with what was found and changed on the way."""
    named = {"test": test, "validation": validation}
    draft, findings = _drafted(source, test, validation, asked)
    draft, findings = _checked(draft, findings, "rows")
    _refuse_lost(draft, named)
    near, note = near_pairs(draft)
    draft, findings = _checked(replace(draft, near=near, near_note=note), findings, "near")
    _refuse_lost(draft, named)
    return draft, findings


def _forget(folder: Path) -> None:
    """No bundle in `folder`: after a failure, an earlier one would pass for the one that was asked for."""
    try:
        (folder / DATA).unlink(missing_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from None


def _cannot_write(folder: Path, error: OSError) -> WarmstartError:
    why = (error.strerror or str(error)).lower()
    return WarmstartError(
        f"{folder} cannot be written: {why}", "free space, or choose another folder", "disk", 5
    )


def _drafted(
    source: str, test: str | None, validation: str | None, asked: Asked
) -> tuple[Draft, list[Finding]]:
    """The rows as they were read, with their roles and prints."""
    table, brought = read_all(source, test, validation)
    name = last_part(source)
    findings = list(findings_of(table))
    column = split_column(table)
    if column:
        named = {split_named(value) for value in table.column(column).unique().to_pylist()}
        brought = frozenset(s for s in named if s and s != "train")
        what = f"the splits are taken from column {column!r}"
        findings.append(Finding("roles", "note", what, "remove the column to let them be made"))
    roles, seen = find_roles(table.drop_columns([column]) if column else table, asked, name)
    draft = Draft(name, settle(table, roles, column), roles, brought)
    _refuse_no_input(draft)
    return replace(draft, table=with_prints(draft)), findings + seen


def _refuse_no_input(draft: Draft) -> None:
    """A split without a single input has another name for its column; dropping its rows would hide that."""
    import pyarrow.compute as pc

    name = draft.roles[draft.kind]
    for split_name in draft.brought:
        inputs = draft.table.column(name).filter(pc.equal(draft.table.column(SPLIT), split_name))
        if inputs.null_count == len(inputs):
            raise WarmstartError(
                f"{draft.source}: the {split_name} rows have nothing in column {name!r}",
                "give the columns of both files the same names",
                "missing-column",
            )


def _refuse_lost(draft: Draft, named: Mapping[str, str | None]) -> None:
    """A file that was named for a split but has no usable row is not replaced by rows taken by chance."""
    for name, place in named.items():
        if place and name not in draft.brought:
            raise WarmstartError(
                f"{place}: no row of it can be used for {name} (dropped: {'; '.join(draft.dropped)})",
                f"give its rows labels and inputs in the columns of {draft.source}, or leave the file out",
                f"no-{name}-rows",
            )


def _checked(draft: Draft, findings: list[Finding], moment: str) -> tuple[Draft, list[Finding]]:
    """What the checks of this moment leave, and the findings with theirs."""
    for _, check in checks_at(moment):
        try:
            found = check.look(draft)
        except WarmstartError as error:  # it may follow from what was dropped before: say that too
            before = f" (after {'; '.join(draft.dropped)})" if draft.dropped else ""
            raise WarmstartError(error.wrong + before, error.do, error.code, error.exit_code) from None
        draft = _applied(draft, found)
        findings = findings + [f.finding for f in found]
        if not len(draft):
            wrong = f"{draft.source}: no row is left after {'; '.join(draft.dropped)}"
            advice = findings[-1].do.partition("; ")[2]  # behind "dropped; "
            raise WarmstartError(wrong, advice or "correct the data", "no-rows-left")
    return draft, findings


def _applied(draft: Draft, found: list[Found]) -> Draft:
    """The draft without the rows to drop, with labels renamed; a split that lost all rows is not brought."""
    import pyarrow as pa

    drop = {row for f in found for row in f.drop}
    rename = {old: new for f in found for old, new in f.rename.items()}
    table = draft.table
    if rename:
        label = draft.roles["label"]
        renamed = pa.array([rename.get(v, v) for v in table.column(label).to_pylist()], pa.large_string())
        table = table.set_column(table.column_names.index(label), label, renamed)
    if drop:
        table = table.take(pa.array([row for row in range(len(table)) if row not in drop], pa.int64()))
    dropped = (*draft.dropped, *(f.finding.what for f in found if f.drop))
    brought = draft.brought & set(table.column(SPLIT).to_pylist())
    changes = (*draft.changes, *(change for f in found for change in changes_of(draft, f)))
    return replace(draft, table=table, brought=brought, dropped=dropped, changes=changes)


def _divided(draft: Draft, seed: int, limit: int | None) -> tuple[Draft, Finding]:
    """The rows that are used, each in its split."""
    import pyarrow as pa

    splits = split(draft, seed, limit)
    place = {row: name for name in SPLITS for row in getattr(splits, name)}
    used = sorted(place)
    table = draft.table.take(pa.array(used, pa.int64()))
    names = pa.array([place[row] for row in used], pa.large_string())
    table = table.set_column(table.column_names.index(SPLIT), SPLIT, names)
    return replace(draft, table=table), _how_divided(draft, place, seed)


def _how_divided(draft: Draft, place: dict[int, str], seed: int) -> Finding:
    sizes = Counter(place.values())
    yours = {name: " (yours)" if name in draft.brought else "" for name in SPLITS}
    what = f"{len(place):,} rows: {', '.join(f'{name} {sizes[name]:,}{yours[name]}' for name in SPLITS)}"
    if len(place) < len(draft):
        what += f"; {count(len(draft) - len(place), 'row')} beyond the limit not used"
    made = " and ".join(name for name in ("test", "validation") if name not in draft.brought)
    do = f"{made} made by chance, stratified by label, seed {seed}" if made else "your splits are kept"
    return Finding("splits", "note", what, do, len(place))


def _written(draft: Draft, findings: tuple[Finding, ...], source: str, folder: Path) -> Bundle:
    """rows.arrow first, data.json last: it is there only if all is."""
    hidden = [name for name in draft.table.column_names if name.startswith(OWN)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        rows = Rows.write(draft.table.drop_columns(hidden), folder / ROWS)
        bundle = _bundle(
            rows,
            name=short_name(source),
            roles=draft.roles,
            labels=in_order(draft.values("label")),
            fingerprint=fingerprint(draft),
            findings=findings,
            source=source,
            task=f"{draft.kind}_classification",
            brought=tuple(sorted(draft.brought)),
        )
        write_json(folder / DATA, {**_said(bundle), "summary": summary(bundle)})
    except OSError as error:
        (folder / ROWS).with_suffix(".tmp").unlink(missing_ok=True)
        raise _cannot_write(folder, error) from None
    return bundle


def _bundle(rows: Rows, **said: Any) -> Bundle:
    """A Bundle whose splits are read from the rows."""
    numbers: dict[str, list[int]] = {name: [] for name in SPLITS}
    for row, name in enumerate(rows.column(SPLIT)):
        numbers[name].append(row)
    train, validation, test = (tuple(numbers[name]) for name in SPLITS)
    return Bundle(rows=rows, train=train, validation=validation, test=test, **said)


def _said(bundle: Bundle) -> dict[str, Any]:
    """What data.json says of a bundle; its rows and their splits are in rows.arrow."""
    keys = ("name", "roles", "labels", "fingerprint", "findings", "source", "task", "brought")
    return {key: getattr(bundle, key) for key in keys}


def load_bundle(folder: Path) -> Bundle:
    """The bundle that `open_bundle` wrote to `folder`, identical.

    Raises WarmstartError (codes "no-bundle", "broken-bundle") if it is missing or damaged.
    """
    import pyarrow as pa

    try:
        said = read_json(folder / DATA)
        rows = Rows(folder / ROWS)
        findings = tuple(Finding(**{**f, "where": tuple(f["where"])}) for f in said["findings"])
        known = {key: said[key] for key in ("name", "roles", "fingerprint", "source", "task")}
        known["brought"] = tuple(said.get("brought", ()))
        bundle = _bundle(rows, labels=tuple(said["labels"]), findings=findings, **known)
        whole = said["summary"]["rows"] == len(rows)
    except FileNotFoundError as error:
        name = Path(error.filename or ROWS).name
        raise WarmstartError(f"{folder} has no {name}", "prepare the data again", "no-bundle") from None
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        raise WarmstartError(
            f"the data in {folder} is damaged", "prepare it again", "broken-bundle"
        ) from None
    if not whole:
        raise WarmstartError(
            f"{folder}: {ROWS} and {DATA} do not belong together", "prepare the data again", "broken-bundle"
        )
    return bundle


def last_part(source: str) -> str:
    """What to call the source in messages: "reviews.csv", "photos"."""
    path = path_of(source)
    return path.name if path.name not in ("", "..") else path.resolve().name or "data"


def short_name(source: str) -> str:
    """A name for run folders: the file's stem or the folder's name; for train.csv its folder's."""
    path = path_of(source)
    stem = path.stem if path.is_file() else last_part(source)
    if split_named(stem):
        stem = path.resolve().parent.name
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in stem).strip(".-_")
    return name[:40] or "data"
