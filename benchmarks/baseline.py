"""What the ratios were when somebody last looked: one that fell by more than a tenth fails the suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BASELINE = Path(__file__).with_name("baseline.json")
WORSE = 0.1  # share of a ratio


def read_baseline(path: Path = BASELINE) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return table


def regressions(measured: dict[str, Any], baseline: dict[str, Any]) -> list[str]:
    """Sentences on the ratios of a row that are worse than the baseline's; those it lacks are not judged."""
    known = baseline.get(measured["id"], {})
    out = []
    for name, before in known.get("ratios", {}).items():
        now = measured["ratios"].get(name, {}).get("value")
        if now is not None and now < before * (1 - WORSE):
            out.append(
                f"{measured['id']}: {name} costs {now:.2f} times what we do, the baseline is {before:.2f}"
            )
    for name, before in known.get("memory", {}).items():
        now = measured["memory"].get(name)
        if now is not None and now > before * (1 + WORSE):
            out.append(
                f"{measured['id']}: we take {now:.2f} of the memory of {name}, the baseline is {before:.2f}"
            )
    return out


def update(measured: dict[str, Any], path: Path = BASELINE) -> None:
    """Take a row's ratios and memory as the new baseline; other rows, and peers that were left out, stay."""
    table = read_baseline(path)
    before = table.get(measured["id"], {"ratios": {}, "memory": {}})
    ratios = {name: ratio["value"] for name, ratio in measured["ratios"].items()}
    table[measured["id"]] = {
        "ratios": {**before["ratios"], **ratios},
        "memory": {**before["memory"], **measured["memory"]},
    }
    path.write_text(json.dumps(table, indent=2, sort_keys=True) + "\n", encoding="utf-8")
