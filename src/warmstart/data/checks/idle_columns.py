"""Columns beside input and label that say nothing: the same in every row, or different in every one."""

from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.columns import Column
from warmstart.data.draft import Draft, Found, quoted
from warmstart.data.readers._table import user_columns


@dataclass(frozen=True)
class IdleColumns:
    """Reported: nothing is learned from them, but a user may believe that it is."""

    fewest: int = 20  # rows from which on a column of different values is one of ids
    order: int = 90
    moment: str = "rows"

    def look(self, draft: Draft) -> list[Found]:
        same, ids = [], []
        for name in user_columns(draft.table):
            column = Column(name, draft.table.column(name))
            if name in (draft.roles[draft.kind], draft.roles["label"]) or not column.is_plain:
                continue
            if column.distinct < 2 and column.filled in (0, len(draft)):
                same.append(name)
            elif column.distinct == len(draft) >= self.fewest:
                ids.append(name)
        found = []
        if same:
            found.append(_found(same, "the same in every row", "they tell no row from another"))
        if ids:
            group = draft.roles.get("group") in ids
            keeps = f"; as a group {draft.roles['group']!r} keeps no rows together" if group else ""
            found.append(_found(ids, f"different in every row{keeps}", "ids of rows"))
        return found


def _found(names: list[str], how: str, why: str) -> Found:
    columns = f"column {quoted(names)} is" if len(names) == 1 else f"columns {quoted(names)} are"
    do = f"not learned from, {why}; nothing to do"
    return Found(Finding("idle_columns", "note", f"{columns} {how}", do, len(names)))


CHECK = IdleColumns
