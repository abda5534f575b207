"""Small trainings of different kinds, and how one ended, to the last bit."""

from hashlib import sha256
from pathlib import Path

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

import tune_worlds as worlds
from warmstart.tune.loop import Keeping

STOPPING = {"name": "early_stop", "patience": 2}
KINDS = {
    "texts, all layers, dropout": (
        "bert",
        worlds.plan(
            worlds.phase(("head",), lr=3e-2, epochs=1),
            worlds.phase(lr=1e-2, epochs=3, warmup=0.3, decay=0.8, schedule="cosine"),
            worlds.phase(lr=0.3, epochs=4, schedule="constant", warmup=0.0),  # ruin, to be stopped
            guards=(STOPPING, {"name": "l2_sp", "weight": 0.001}),
            batch=9,
        ),
        {"num_hidden_layers": 1},
    ),
    "texts, gradual, behind a frozen prefix": (
        "bert",
        worlds.plan(
            worlds.phase(("head",), solver="logistic", leave=0.8),
            worlds.phase(("top:1",), lr=3e-4, epochs=2),
            worlds.phase(("top:2",), lr=3e-4, epochs=2, decay=0.7),
            guards=(STOPPING,),
        ),
        {"num_hidden_layers": 2},
    ),
    "pictures, all layers, batch norm learns": (
        "resnet-basic",
        worlds.plan(worlds.phase(lr=1e-2, epochs=3), norm_statistics="learn", guards=(STOPPING,), batch=6),
        {},
    ),
    "ragged texts in parts": (
        "bert",
        worlds.plan(
            worlds.phase(lr=1e-2, epochs=3), batch=7, micro_batch=3, guards=({"name": "wise_ft", "mix": 0.7},)
        ),
        {"num_hidden_layers": 1},
    ),
}


def train(kind: str, folder: Path, seconds: float = 0.0, tell=None, **changes):
    """Train a kind with checkpoints and a cache in `folder`: the model, what `tune` returned, all rates."""
    name, plan, shape = KINDS[kind]
    model = worlds.pretrained(name, **{**shape, **changes})
    keeping = Keeping(folder / "cache", checkpoints=folder / "checkpoints", save_seconds=seconds)
    data = worlds.splits(name, train=18, validation=10)
    return model, worlds.run(name, plan, model, keeping, data, tell)[1]


def end_of(kind: str, folder: Path, seconds: float = 0.0) -> dict:
    """How a training ended: weights, optimiser, history, and the rates of the steps that were taken."""
    rates, last, told = [], [], []
    hooks = [
        register_optimizer_step_pre_hook(lambda s, a, k: rates.append([g["lr"] for g in s.param_groups])),
        register_optimizer_step_post_hook(lambda s, a, k: last.__setitem__(slice(None), [s])),
    ]
    try:
        model, trained = train(kind, folder, seconds, told.append)
    finally:
        for hook in hooks:
            hook.remove()
    return {
        "weights": key_of(model.module.state_dict()),
        "optimiser": key_of(state_of(last[0])) if last else None,  # None: no step was left to take
        "history": [list(look.items()) for look in trained.history],
        "steps": trained.steps,
        "proofs": trained.proofs,
        "failed": trained.failed_saves,
        "rates": rates,
        "resumed": [event["steps"] for event in told if event["event"] == "resumed"],
        "notes": [event["what"] for event in told if event["event"] == "note"],
    }


def state_of(stepper) -> dict:
    return {f"{i}.{k}": v for i, t in stepper.state_dict()["state"].items() for k, v in t.items()}


def key_of(tensors) -> str:
    total = sha256()
    for name, tensor in sorted(tensors.items()):
        total.update(name.encode() + tensor.detach().contiguous().numpy().tobytes())
    return total.hexdigest()


def check_same_end(whole: dict, end: dict) -> None:
    """A training that was taken up ended as the one in one go, with the same rates on the way."""
    for name in ("weights", "history", "steps", "proofs"):
        assert end[name] == whole[name], name
    done = len(whole["rates"]) - len(end["rates"])
    assert end["rates"] == whole["rates"][done:]
    assert end["optimiser"] in (whole["optimiser"], None)
    assert end["optimiser"] or not end["rates"]


def finite(folder: Path) -> bool:
    """Is every number in every saved file one?"""
    from safetensors.torch import load_file

    files = list(folder.rglob("*.safetensors"))
    return bool(files) and all(
        bool(torch.isfinite(t).all()) for f in files for t in load_file(f).values() if t.is_floating_point()
    )
