"""Small trainings on tiny models: rows, splits and plans that several tests share."""

import copy
from functools import cache

import numpy as np
import torch

import tiny_models
from warmstart.base.types import Phase, Plan
from warmstart.models.anatomy import anatomy_of
from warmstart.models.inputs import ImageInputs, Ragged, TextInputs
from warmstart.models.load import Pretrained
from warmstart.tasks import TASKS
from warmstart.tune.job import Split
from warmstart.tune.loop import tune

CALM = {
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "classifier_dropout": 0.0,
}  # a BERT without dropout


@cache
def original(name, seed, changes):
    return tiny_models.make(name, seed, **dict(changes))


def pretrained(name, seed=0, **changes):
    """A model of one's own, with its anatomy; no files are needed to train."""
    module = copy.deepcopy(original(name, seed, tuple(sorted(changes.items()))))
    words = tiny_models.tokenizer() if tiny_models.modality(name) == "text" else None
    return Pretrained(name, module, words, anatomy_of(module), tiny_models.modality(name))


def task(name):
    return TASKS.get(f"{tiny_models.modality(name)}_classification")()


def split(name, rows, seed, size=32):
    """Rows whose class can be learned, as inputs and targets."""
    source = np.random.default_rng(seed)
    classes = source.integers(tiny_models.CLASSES, size=rows)
    if tiny_models.modality(name) == "text":
        ids = [(4 + 20 * kind + source.integers(0, 20, source.integers(2, 11))).tolist() for kind in classes]
        inputs = TextInputs(Ragged.of([[2, *row, 3] for row in ids]), 0)
    else:
        pixels = source.integers(0, 180, (rows, 3, size, size), dtype=np.uint8)
        pixels[np.arange(rows), classes] += 60
        inputs = ImageInputs(pixels, np.full(3, 1 / 64, np.float32), np.full(3, -2, np.float32))
    return Split(inputs, torch.from_numpy(classes))


def splits(name, train=22, validation=14, size=32):
    return {"train": split(name, train, 1, size), "validation": split(name, validation, 2, size)}


def plan(*phases, **options):
    settings = {"batch": 8, "seed": 3, **options}
    return Plan("test", "a model", "a task", phases, **settings)


def phase(learn=("*",), lr=1e-3, epochs=2, **options):
    return Phase(tuple(learn), lr, epochs, **options)


def run(name, chosen, model=None, keeping=None, data=None, tell=None, retained=None):
    """Train by the plan; returns the model and what `tune` returned."""
    model = model or pretrained(name)
    told = {} if tell is None else {"tell": tell}
    return model, tune(model, chosen, task(name), data or splits(name), keeping, retained=retained, **told)


def state(model):
    return tiny_models.weights_of(model.module)


def largest_difference(one, other):
    return max(float((one[n].double() - other[n].double()).abs().max()) for n in one)


def equal(one, other, names=None):
    return all(torch.equal(one[n], other[n]) for n in (one if names is None else names))


def without_key_biases(weights):
    """All but what no loss depends on.

    Softmax does not see a bias of keys: its gradient is but rounding, which Adam makes whole steps of.
    """
    kept = {n: t for n, t in weights.items() if not n.endswith("key.bias")}
    for name in [n for n in kept if n.endswith("c_attn.bias")]:  # GPT-2 holds queries, keys, values in one
        kept[name] = torch.cat([kept[name][:32], kept[name][64:]])
    return kept
