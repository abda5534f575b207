"""Drafts in memory: rows on their way to a Bundle, without files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from warmstart.data.draft import Draft
from warmstart.data.prints import with_prints
from warmstart.data.readers._table import finish
from warmstart.data.settle import settle


def draft_of(
    inputs: Sequence[object],
    labels: Sequence[str | None],
    groups: Sequence[str | None] | None = None,
    splits: Sequence[str | None] | None = None,
    near: Sequence[tuple[int, int]] = (),
    kind: str = "text",
) -> Draft:
    """A draft of these rows, as it stands before the checks; `near` are pairs of row numbers."""
    value = pa.large_binary() if kind == "image" else pa.large_string()
    columns = {kind: pa.array(inputs, value), "label": pa.array(labels, pa.large_string())}
    roles = {kind: kind, "label": "label"}
    if groups is not None:
        columns["group"], roles["group"] = pa.array(groups, pa.large_string()), "group"
    where = [f"x.csv:{row + 2}" for row in range(len(inputs))]
    table = finish(pa.table(columns), where, Path(), "x.csv", splits)
    brought = frozenset(s for s in splits or () if s in ("validation", "test"))
    draft = Draft(
        "x.csv", settle(table, roles, None), roles, brought, np.array(near, np.int64).reshape(-1, 2)
    )
    return Draft(draft.source, with_prints(draft), roles, brought, draft.near)
