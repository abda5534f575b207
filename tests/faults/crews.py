"""Several real processes that train together: forks that know each other through a file."""

import json
import os
import tempfile
from pathlib import Path

import torch.distributed.fsdp  # noqa: F401 - here once, and not in every child
import torch.distributed.tensor  # noqa: F401
from children import ended, fork
from safetensors.torch import load_file, save_file
from torch.nn.functional import cross_entropy

import chat_worlds
import tune_worlds as worlds
from warmstart.tune.crew import ALONE, join, leave
from warmstart.tune.loop import tune

os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
CALM = {"bert": worlds.CALM}  # what takes the dropout away
TALKS = "gpt2 that talks"
TASKS = {
    "text_classification": "bert",
    "image_classification": "vit",
    "chat": TALKS,
}  # a tiny network for each task


def start(work, size, sharded=False) -> list[int]:
    """`size` forks that do `work(crew)`; returns their process numbers."""
    store = str(Path(tempfile.mkdtemp(), "store"))

    def one(rank):
        from torch.distributed import FileStore

        crew = join(FileStore(store, size), rank, size, sharded) if size > 1 else ALONE
        work(crew)
        leave()

    return [fork(lambda rank=rank: one(rank)) for rank in range(size)]


def together(work, size, sharded=False) -> list[dict]:
    """What each of `size` processes answers to `work(crew)`: words and numbers, and tensors by name."""
    with tempfile.TemporaryDirectory() as folder:

        def answer(crew):
            place = Path(folder, str(crew.rank))
            words, tensors = work(crew)
            place.with_suffix(".json").write_text(json.dumps(words))
            save_file({n: t.detach().contiguous() for n, t in tensors.items()}, place)

        codes = [ended(child) for child in start(answer, size, sharded)]
        assert codes == [0] * size
        places = [Path(folder, str(rank)) for rank in range(size)]
        return [(json.loads(p.with_suffix(".json").read_text()), load_file(p)) for p in places]


def model_of(name, **changes):
    if name == TALKS:
        return chat_worlds.pretrained()
    return worlds.pretrained(name, **{**CALM.get(name, {}), **changes})


def splits_of(name):
    if name == TALKS:
        return chat_worlds.splits(chat_worlds.pretrained())
    return worlds.splits(name, size=64)


def task_of(name):
    return chat_worlds.Chat() if name == TALKS else worlds.task(name)


def own_loss(model, name, rows):
    """The oracle: one forward of the padded rows by the model itself; the summed loss, and of how many."""
    split = splits_of(name)["train"]
    if name == TALKS:
        talks = [chat_worlds.conversations(len(split), 1)[row] for row in rows]
        losses, counts = zip(*(chat_worlds.own_loss(model, talk) for talk in talks), strict=True)
        return sum(losses), sum(counts)
    logits, targets = model.module(**split.inputs.batch(rows)).logits, split.targets[rows]
    return cross_entropy(logits, targets, reduction="sum"), len(rows)


def train(name, plan, crew=ALONE, keeping=None, model=None, splits=None, tell=None):
    """The model and what `tune` returned, of a training in one of several processes or in one alone."""
    model = model or model_of(name)
    told = {} if tell is None else {"tell": tell}
    splits = splits or splits_of(name)
    return model, tune(model, plan, task_of(name), splits, keeping, crew=crew, **told)
