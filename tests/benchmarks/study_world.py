"""Records of a small study, as numbers: what its tables and choices are tested on."""

import json
from dataclasses import asdict

import numpy as np

from benchmarks.decisions import figures, ranking
from benchmarks.decisions.cell import VERSION
from benchmarks.decisions.pools import Raced
from benchmarks.decisions.read import Read, Validated
from benchmarks.decisions.worlds import Cell, world
from warmstart.base.tables import to_table
from warmstart.base.types import Facts

DIGITS = world("digits").models  # the three that come with the package
ARMS = ("frozen", "partial", "gradual", "full", "scratch", "plain")


def facts(model=DIGITS[0]):
    """What a cell of the digits would know; later candidates are larger."""
    return Facts(
        task="image_classification",
        modality="image",
        rows=50,
        classes=10,
        fewest_per_class=4,
        median_per_class=5.0,
        floor=0.1,
        probe=0.6,
        groups=("stem", "head"),
        depths={"stem": -1.0},
        parameters=10 + DIGITS.index(model),
        pretrained=True,
        head_is_linear=True,
        can_pool=False,
        can_cut=False,
        has_batch_norm=True,
    )


def validation(share, rows=20):
    """So many validation rows right, by one that is as sure of all."""
    return Validated(np.arange(rows) < share * rows, np.full(rows, -1.0))


def a_cell(right, model=DIGITS[0], seed=0, validated=None):
    found = {arm: np.asarray(values, bool) for arm, values in right.items()}
    chosen = validated or {arm: validation(0.5) for arm in found}
    return Read(Cell("digits", model, 50, seed), facts(model), {"planned": "full"}, found, None, chosen)


def pool(shares, rows=400, seed=0, validated=None):
    rng = np.random.default_rng(seed)
    found = {}
    for model, share in zip(DIGITS, shares, strict=True):
        right = {arm: rng.random(rows) < share for arm in ARMS}
        found[model] = a_cell(right, model, seed, validated=(validated or {}).get(model))
    return Raced("digits", 50, seed, found)


def write_cell_record(out, cell, version=VERSION):
    """A record as the study leaves it, with its arrays out of order."""
    places = [f"prove-{i}" for i in (10, 2, 0)] + ["teach-70"]
    arrays, said = {}, {}
    for arm in ARMS:
        right = np.array([False, arm != "frozen", True, True])
        said[arm] = {"cpu": 1.0, "wall": 2.0, "tuning": 1.0, "test_accuracy": float(right.mean())}
        for split, rows in (("test", right), ("validation", right[:2])):
            arrays[f"{arm}.{split}.places"] = np.array(places[: len(rows)])
            arrays[f"{arm}.{split}.right"] = rows
            arrays[f"{arm}.{split}.logs"] = np.where(rows, -0.1, -2.0)
    step = {"0": 0.001, "1": 0.001}
    table = {
        "version": version,
        "cell": asdict(cell),
        "rows": {"train": 50, "validation": 12, "test": 4},
        "planned": "partial",
        "seconds": {"timing": 0.3},
        "arms": said,
        "failed": {"lora": "no linear layers"},
        "facts": to_table(facts(cell.model)),
        "pace": {"step": step, "look": step, "move": 0.0, "weights": {"0": 10, "1": 5}, "saved": 9},
    }
    path = out / "cells" / f"{cell.name.replace(':', '-')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table))
    np.savez(path.with_suffix(".npz"), **arrays)


def write_ranking(out, name="digits--50--0"):
    scores = {
        model: {s: float(i) for s in figures.SCORES if s not in ("leep", "imagenet")}
        for i, model in enumerate(DIGITS)
    }
    path = out / "rankings" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"version": ranking.VERSION, "scores": scores}))
