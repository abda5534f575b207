"""A small story model goes on to learn Shakespeare: what stories cost it then, within limits in nats."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.decisions.worlds import ASSETS
from benchmarks.forgetting.cases import Case
from warmstart.base.types import Phase, Plan
from warmstart.evaluate.limit import LEVEL, p_value
from warmstart.models.features import read
from warmstart.models.inputs import Ragged, TextInputs
from warmstart.models.load import Pretrained, load
from warmstart.street.bounding import ALPHAS, ENOUGH, GENTLE, OWN
from warmstart.tasks.chat import Chat
from warmstart.tasks.text_classification import padding_of
from warmstart.tune.job import Split
from warmstart.tune.loop import tune
from warmstart.tune.mixing import mixed

LIMITS = (0.02, 0.05, 0.1, 0.2)  # nats a token
TOKENS = 96  # of a row
ROWS = {"train": 400, "validation": 100, "test": 200}
EPOCHS, RATE = 4, 1e-3
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Texts:
    """Stretches of texts, and which text each is of: stretches of one text are no rows of their own."""

    rows: Split
    owners: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rows)

    def means(self, rows_N: Floats) -> Floats:
        """Of each text."""
        counts = np.bincount(self.owners)
        found: Floats = (np.bincount(self.owners, rows_N) / np.maximum(counts, 1))[counts > 0]
        return found


def rows_of(pretrained: Pretrained, texts: Sequence[str], most: int = 0) -> Texts:
    """Stretches of so many tokens; at each place the next token is asked for."""
    ids = [pretrained.processor(t, add_special_tokens=False, verbose=False)["input_ids"] for t in texts]
    every = [(n, row[i : i + TOKENS + 1]) for n, row in enumerate(ids) for i in range(0, len(row), TOKENS)]
    kept = [(n, row) for n, row in every if len(row) > TOKENS // 4][: most or None]
    cut = [row for _, row in kept]
    targets = torch.full((len(cut), TOKENS), -100, dtype=torch.int32)
    for place, row in enumerate(cut):
        targets[place, : len(row) - 1] = torch.tensor(row[1:], dtype=torch.int32)
    inputs = TextInputs(Ragged.of([row[:-1] for row in cut]), padding_of(pretrained))
    return Texts(Split(inputs, targets), np.array([n for n, _ in kept]))


@torch.inference_mode()
def nats(pretrained: Pretrained, texts: Texts) -> Floats:
    """Mean loss of a token, text by text."""
    rows = texts.rows
    task, found = Chat(answers_only=False), np.zeros(len(rows))
    pretrained.module.eval()
    for numbers in rows.inputs.in_order(64):
        state = read(pretrained.anatomy, rows.inputs, numbers)
        seen = task.look(pretrained.anatomy, state, 0, rows.targets[torch.from_numpy(numbers)])
        found[numbers] = (seen.losses_N / seen.answers_N.clamp(min=1)).numpy()
    return texts.means(found)


def stories() -> list[str]:
    lines = (ASSETS / "data" / "tinystories_probe" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["text"] for line in lines]


def plays() -> dict[str, str]:
    place = ASSETS / "data" / "tiny_shakespeare"
    taught, proof = ((place / f"{name}.txt").read_text(encoding="utf-8") for name in ("train", "test"))
    return {"train": taught[: len(taught) // 2], "validation": taught[len(taught) // 2 :], "test": proof}


@dataclass(frozen=True)
class Tuned:
    """A training, as weights."""

    name: str
    weights: Mapping[str, Tensor]


def explore(case: Case) -> dict[str, Any]:
    """Tune, mix, and take what is shown to be within each limit; beside it what is true of every mix."""
    source = load(str(ASSETS / "weights" / case.network), "chat")
    new = {name: rows_of(source, [text], ROWS[name]) for name, text in plays().items()}
    told = stories()
    order = np.random.default_rng(case.seed).permutation(len(told))
    choosing, proving = (rows_of(source, [told[i] for i in part]) for part in np.array_split(order, 2))
    start = {name: t.clone() for name, t in source.module.state_dict().items() if t.is_floating_point()}
    before = nats(source, choosing), nats(source, proving)
    plan = Plan(
        "full", case.network, "chat", (Phase(("*",), lr=RATE, epochs=EPOCHS),), batch=16, seed=case.seed
    )
    plans = {"full": plan, "gentle": replace(plan, phases=(replace(plan.phases[0], lr=RATE * GENTLE),))}
    ways = [walked(name, one, source, start, new, choosing, proving, before) for name, one in plans.items()]
    return {
        "case": vars(case),
        "rows": {"choosing": len(choosing), "proving": len(proving)},
        "before": float(before[1].mean()),
        "new": {"source": ways[0][0]["new"], "full": ways[0][-1]["new"]},
        "limits": [taken(ways, limit) for limit in LIMITS],
    }


def walked(
    name: str,
    plan: Plan,
    source: Pretrained,
    start: Mapping[str, Tensor],
    new: Mapping[str, Texts],
    choosing: Texts,
    proving: Texts,
    before: tuple[Floats, Floats],
) -> list[dict[str, Any]]:
    """Every mix of a way: what the new texts cost, and what is lost of the old ones, row by row."""
    model = source.with_module(copy.deepcopy(source.module))
    tune(model, plan, Chat(answers_only=False), {n: new[n].rows for n in ("train", "validation")})
    tuned = {n: t.clone() for n, t in model.module.state_dict().items() if n in start}
    found = []
    for alpha in ALPHAS:
        model.module.load_state_dict(mixed(start, tuned, dict.fromkeys(start, alpha)), strict=False)
        found.append(
            {
                "way": name,
                "alpha": alpha,
                "chose": float(nats(model, new["validation"]).mean()),
                "new": float(nats(model, new["test"]).mean()),
                "choosing": (nats(model, choosing) - before[0]).tolist(),
                "lost": float((nats(model, proving) - before[1]).mean()),
            }
        )
    return found


def taken(ways: Sequence[Sequence[Mapping[str, Any]]], limit: float) -> dict[str, Any]:
    """As the street takes it: each way from the safest on, its first failure the end; then the best."""
    passed: list[Mapping[str, Any]] = []
    goal = float(ways[0][-1]["chose"])
    begun = float(ways[0][0]["chose"])
    for number, way in enumerate(ways):
        level = LEVEL * (OWN if not number else (1 - OWN) / (len(ways) - 1))
        for point in way:
            if point["alpha"] and p_value(np.array(point["choosing"]), limit) > level:
                break
            passed.append(point)
        if begun - min(p["chose"] for p in passed) >= ENOUGH * (begun - goal):
            break
    best = min(passed, key=lambda point: point["chose"])
    return {
        "limit": limit,
        "way": best["way"],
        "chosen": {"alpha": best["alpha"]},
        "new": best["new"],
        "lost": best["lost"],
        "models": [{k: v for k, v in p.items() if k != "choosing"} for way in ways for p in way],
    }
