"""A cleaned copy of the user's data: what checks put right by themselves, and nothing else.

Rows that teach nothing or betray the test are left out, labels that differ by blanks are one. The copy has
the format of what was read, and changes.csv beside it names each change. What only a person can decide stays.
"""

import csv
import io
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from warmstart.base.errors import WarmstartError
from warmstart.base.files import write_text
from warmstart.base.types import Finding
from warmstart.data.bundle import checked_draft
from warmstart.data.draft import Change, Draft
from warmstart.data.readers import reader_name
from warmstart.data.readers._table import BASE
from warmstart.data.settle import absolute
from warmstart.data.sniff import Asked
from warmstart.data.source import path_of, read
from warmstart.data.writers import WRITERS, Edit

FIXED = ("unlabelled", "label_spelling", "unreadable_images", "empty_inputs", "duplicates", "leaks")
CHANGES = "changes.csv"
FOLDERS = ("class_folder", "image_folder")  # which bring their images along
SILENT = ("roles", "splits", "readable", "idle_columns")  # findings that ask for nothing


@dataclass(frozen=True)
class Cleaned:
    """What was written and changed, and what was left as it is."""

    files: tuple[Path, ...]  # the copy of the source, then those of files named for splits
    changes: tuple[Change, ...]
    lost: tuple[tuple[str, str], ...]  # places that could not be read, and why
    left: tuple[tuple[str, str], ...]  # what was found and not changed, and why not


def clean(
    source: str, out: Path, asked: Asked, test: str | None = None, validation: str | None = None
) -> Cleaned:
    """Write `out`/<source>, `out`/<test>, `out`/changes.csv; all of them or nothing.

    Raises WarmstartError where the data cannot be read, their format cannot be written (a hub id), or `out`
    holds something already.
    """
    _refuse(source, out)
    draft, findings = checked_draft(source, asked, test, validation)
    changes = tuple(change for change in draft.changes if _is_fixed(change, draft))
    named = [(source, ""), (validation, "validation"), (test, "test")]  # in the order in which they are read
    sources = [(path_of(given), split) for given, split in named if given]
    hidden = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(hidden, ignore_errors=True)
    try:
        hidden.mkdir(parents=True)
        files, lost = _copied(sources, hidden, changes, draft)
        write_text(hidden / CHANGES, _table(changes, lost))
        if out.exists():
            out.rmdir()
        hidden.rename(out)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise WarmstartError(f"{out} cannot be written: {why}", "choose another folder", "disk", 5) from None
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    return Cleaned(tuple(out / file for file in files), changes, tuple(lost), tuple(left(findings, changes)))


def _refuse(source: str, out: Path) -> None:
    path = path_of(source)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WarmstartError(
            f"--fix {out}: there is something already", "name a folder that is new or empty", "folder-taken"
        )
    if path.is_dir() and path.resolve() in (out.resolve(), *out.resolve().parents):
        raise WarmstartError(
            f"--fix {out} lies inside the data", "name a folder outside of them", "folder-taken"
        )
    if path.exists() and reader_name(path) not in ("", *WRITERS.names()):
        raise WarmstartError(f"{source} cannot be written again", "save it as files first", "unknown-layout")
    if not path.exists() and reader_name(path):
        raise WarmstartError(
            f"{source} is a data set of the hub, and no file of yours",
            "save it as files first",
            "unknown-layout",
        )


def _is_fixed(change: Change, draft: Draft) -> bool:
    """Is it put right in the copy? The rows of a split without any label stay: somebody else has them."""
    whole = change.check == "unlabelled" and change.split in ("test", "validation")
    return change.check in FIXED and not (whole and change.split not in draft.brought)


def _copied(
    sources: Sequence[tuple[Path, str]], out: Path, changes: Sequence[Change], draft: Draft
) -> tuple[list[str], list[tuple[str, str]]]:
    """Copy each source, without the rows that go; the names of the copies, and what could not be read."""
    dropped = frozenset(change.row for change in changes if not change.after)
    relabelled = {change.row: change.after for change in changes if change.after}
    cells = {draft.roles["label"]: relabelled}
    edit, names, lost = Edit(dropped, cells), [], []
    for source, split in sources:
        kind = reader_name(source)
        name = source.resolve().name
        name = f"{split}-{name}" if name in names else name
        new = edit
        if "image" in draft.roles and kind not in FOLDERS:
            new = Edit(edit.dropped, {**edit.cells, **_found_again(source, draft.roles["image"])})
        if source.is_dir():
            (out / name).mkdir()
        done = WRITERS.get(kind)().copy(source, out / name, new)
        names.append(name)
        lost += done.lost
        edit = edit.after(done.rows)
    return names, lost


def _found_again(source: Path, column: str) -> Mapping[str, dict[int, str]]:
    """Paths of images that start from the table's folder, as they are found from anywhere."""
    import pyarrow as pa

    table = read(str(source))
    values = table.column(column)
    if not pa.types.is_large_string(values.type):
        return {}
    pairs = enumerate(zip(values.to_pylist(), table.column(BASE).to_pylist(), strict=True))
    return {column: {row: path for row, (name, base) in pairs if (path := absolute(name, base))}}


def _table(changes: Sequence[Change], lost: Sequence[tuple[str, str]]) -> str:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("where", "what", "check", "why", "before", "after"))
    for one in changes:
        table.writerow((one.where, one.what, one.check, one.why, one.before, one.after))
    table.writerows((place, "left out", "readable", why, "", "") for place, why in lost)
    return text.getvalue()


def left(findings: Sequence[Finding], changes: Sequence[Change]) -> list[tuple[str, str]]:
    """What was found and stays as it is, with the reason or the advice."""
    done = {change.why for change in changes}
    stays = [f for f in findings if f.check not in SILENT and f.what not in done]
    return [(f.what, f.do.replace("dropped", "kept here, though a run leaves them out")) for f in stays]
