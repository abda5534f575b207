"""Frozen layers are a constant function of the input: run once, kept on disk, read by every later stage.

`keep_prefix` gives inputs that stand before a group; `pooled_features` the features after every group, which
selection scores. Both are keyed by a hash of weights and inputs, so that nothing stale is ever read.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor

from warmstart.models.anatomy import Anatomy, State, at_rest
from warmstart.models.cache import SLACK, entry, use
from warmstart.models.folding import can_fold, folded
from warmstart.models.inputs import Inputs, KeptInputs, Numbers, as_numpy, bytes_of, digest, offsets_of
from warmstart.models.rows import LAYOUT
from warmstart.models.whole import NO_ROOM, room_for, seal

BATCH = 64  # rows at a time; part of the key, since padding changes the last bits
ABOUT_LABELS = ("id2label", "label2id", "problem_type", "_name_or_path")  # what no layer below the head reads


def device_of(anatomy: Anatomy) -> torch.device:
    return next(anatomy.model.parameters()).device


def read(anatomy: Anatomy, inputs: Inputs, numbers: Numbers) -> State:
    """The state of these rows on the model's device, without padding where the model can do without."""
    return inputs.on(device_of(anatomy), numbers, anatomy.packs)


def few_walks(anatomy: Anatomy, inputs: Inputs, stop: int, start: int = 0) -> AbstractContextManager[int]:
    """Meanwhile norms of groups `start` up to `stop` are folded into the convolutions that they follow."""
    if not can_fold(anatomy, stop):
        return nullcontext(0)
    return folded(anatomy, read(anatomy, inputs, [0]), stop, start)


@torch.inference_mode()
def pooled_features(
    anatomy: Anatomy, inputs: Inputs, folder: Path | None = None, head: bool = False
) -> dict[str, NDArray[np.float32]]:
    """Group name -> N x D features after it (mean over tokens or map; what the head reads at the top).

    With `head`, the last group's are the N x S probabilities that it answers with. Kept in `folder` where one
    is given and has room, and read from there the next time.
    """
    names = anatomy.names if head else anatomy.names[:-1]
    place = None if folder is None else folder / prefix_key(anatomy, len(names), inputs, "pooled")
    used = None if place is None else use(place)
    if place is not None and used is not None:
        return {name: np.load(place / f"{name}.npy") for name in used.facts["names"]}
    rows: dict[str, list[Tensor]] = {name: [] for name in names}
    order = []
    with at_rest(anatomy.model), few_walks(anatomy, inputs, len(anatomy.groups) - 1):
        for numbers in inputs.in_order(BATCH):
            state = read(anatomy, inputs, numbers)
            for i, name in enumerate(names):
                state = anatomy.run(state, i, i + 1)
                rows[name].append(after(anatomy, state, i + 1).cpu())
            order.append(numbers)
    back = np.argsort(np.concatenate(order))
    features = {name: torch.cat(parts).numpy()[back] for name, parts in rows.items()}
    if place is not None:
        write_arrays(place, features)
    return features


def after(anatomy: Anatomy, state: State, stop: int) -> Tensor:
    """What stands before a group, one vector a row: features, or behind the head probabilities."""
    if "logits" in state:
        return state["logits"].float().softmax(-1)
    return anatomy.features(state, stop).float()


def write_arrays(place: Path, arrays: dict[str, NDArray[np.float32]]) -> None:
    """Keep arrays under their names; where the disk is full they are not kept, and made again when needed."""
    try:
        with entry(place, sum(array.nbytes + SLACK for array in arrays.values())) as draft:
            for name, array in arrays.items():
                np.save(draft / f"{name}.npy", array)
            seal(draft, {"names": list(arrays)})
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise


def keep_prefix(
    anatomy: Anatomy, inputs: Inputs, stop: int, folder: Path, limit: int | None = None
) -> Inputs | None:
    """Inputs that stand before group `stop`.

    None where there is no room for them within `limit` bytes, or what the folder itself may hold, or where
    the states of rows of different length cannot be laid end to end.
    """
    return keep_prefixes(anatomy, inputs, [stop], folder, limit).get(stop)


def keep_prefixes(
    anatomy: Anatomy, inputs: Inputs, stops: Sequence[int], folder: Path, limit: int | None = None
) -> dict[int, Inputs]:
    """Group number -> inputs that stand before it, made in one pass over the rows.

    What is kept already is not made again, and the pass begins behind it where that lies on its way.
    Without those for which there is no room.
    """
    places = {stop: folder / prefix_key(anatomy, stop, inputs, "prefix") for stop in stops}
    found = {stop: kept for stop, place in places.items() if (kept := read_kept(place, inputs)) is not None}
    missing = [stop for stop in sorted(places) if stop not in found]
    while missing:
        start = max((stop for stop in found if stop <= missing[0]), default=0)
        run = [stop for stop in missing if not any(missing[0] < known <= stop for known in found)]
        with at_rest(anatomy.model):
            made = make_kept(anatomy, found.get(start, inputs), start, {s: places[s] for s in run}, limit)
        found |= {s: kept for s in made if (kept := read_kept(places[s], inputs, trust=True)) is not None}
        missing = [stop for stop in missing if stop not in run]
    return found


def read_kept(place: Path, inputs: Inputs, trust: bool = False) -> Inputs | None:
    """What is kept there of these rows; with `trust` it was written just now, and is not read through."""
    used = use(place, trust)
    if used is None:
        return None
    return KeptInputs(place, frozenset(used.facts["ragged"]), inputs.lengths, place.name, used.lease)


def make_kept(
    anatomy: Anatomy, inputs: Inputs, start: int, places: Mapping[int, Path], limit: int | None
) -> list[int]:
    """Run rows that stand before group `start` on, and keep them before each of `places`; which were kept.

    Where there is no room for all, those nearest to the input are left out.
    """
    outlines = outline(anatomy, inputs, start, list(places))
    stops = [stop for stop in places if outlines.get(stop) is not None]
    while stops:
        try:
            with ExitStack() as stack:
                drafts = {
                    s: stack.enter_context(entry(places[s], outlines[s].size, limit)) for s in reversed(stops)
                }
                stack.enter_context(few_walks(anatomy, inputs, stops[-1], start))
                fill(
                    anatomy, inputs, start, {s: Writer(drafts[s], outlines[s].ragged, inputs) for s in stops}
                )
            return stops
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            stops = stops[1:]
    return []


@torch.inference_mode()
def run_prefix(
    anatomy: Anatomy, inputs: Inputs, numbers: NDArray[np.int64], start: int, stops: Sequence[int]
) -> Iterator[tuple[State, bool]]:
    """What stands before each of `stops` of rows before `start`, and whether the rows lie end to end."""
    state = read(anatomy, inputs, numbers)
    for stop in stops:
        state = anatomy.run(state, start, stop)
        start = stop
        yield {k: v.cpu() for k, v in state.items() if not k.startswith("_")}, LAYOUT in state


@dataclass(frozen=True)
class Outline:
    """What the states of all rows will take on disk."""

    ragged: frozenset[str]  # names of tensors that have a row's tokens as second dimension
    size: int  # bytes


def outline(anatomy: Anatomy, inputs: Inputs, start: int, stops: Sequence[int]) -> dict[int, Outline]:
    """For each of `stops`, what will be kept; without those where the states cannot be laid end to end."""
    ends = np.argsort(inputs.lengths, kind="stable")[[0, -1]]
    short, long = (list(run_prefix(anatomy, inputs, ends[i : i + 1], start, stops)) for i in (0, 1))
    looks = ((s, compare(inputs.lengths, ends, a, b)) for s, a, b in zip(stops, short, long, strict=True))
    return {stop: found for stop, found in looks if found is not None}


def compare(
    lengths: NDArray[np.int64], ends: NDArray[np.int64], a: tuple[State, bool], b: tuple[State, bool]
) -> Outline | None:
    """Compare the longest row with the shortest; None if they differ in more than their number of tokens.

    A look at one row would not do: other dimensions may happen to be as long as it. Rows that lie end to end
    say themselves that they do.
    """
    (short, _), (long, packed) = a, b
    ragged = frozenset(name for name in long if packed or long[name].shape != short[name].shape)
    for state, length in zip((short, long), lengths[ends], strict=True):
        for name, tensor in state.items():
            if packed and name in ragged:
                continue
            row = (1, int(length)) if name in ragged else (1,)
            if tensor.shape != (*row, *long[name].shape[len(row) :]):
                return None
    each = long[next(iter(ragged))].shape[1] if packed and ragged else lengths.max()
    rows = {True: float(lengths.sum() / each), False: len(lengths)}
    return Outline(ragged, int(sum(t.nbytes * rows[name in ragged] for name, t in long.items())))


def fill(anatomy: Anatomy, inputs: Inputs, start: int, writers: Mapping[int, "Writer"]) -> None:
    """Run rows before group `start` on and write what stands before each of the others."""
    for numbers in inputs.in_order(BATCH):
        states = run_prefix(anatomy, inputs, numbers, start, list(writers))
        for writer, (state, packed) in zip(writers.values(), states, strict=True):
            writer.add(numbers, state, packed)
    for writer in writers.values():
        writer.end()


class Writer:
    """States of rows, batch by batch, into the files of a draft."""

    def __init__(self, draft: Path, ragged: frozenset[str], inputs: Inputs) -> None:
        self.draft, self.ragged, self.lengths = draft, ragged, inputs.lengths
        self.offsets = offsets_of(inputs.lengths)
        self.arrays: dict[str, Any] = {}

    def add(self, numbers: NDArray[np.int64], state: State, packed: bool) -> None:
        for name, value in state.items():
            ending, values = as_numpy(value)
            if name not in self.arrays:
                count, rest = (int(self.offsets[-1]), 2) if name in self.ragged else (len(self.lengths), 1)
                shape = (count, *values.shape[rest:])
                self.arrays[name] = room_for(self.draft / f"{name}{ending}", values.dtype, shape)
            if name not in self.ragged:
                self.arrays[name][numbers] = values
                continue
            rows = rows_of(values, self.lengths[numbers], packed)
            for row, number in zip(rows, numbers, strict=True):
                self.arrays[name][self.offsets[number] : self.offsets[number + 1]] = row

    def end(self) -> None:
        for array in self.arrays.values():
            array.flush()
        seal(self.draft, {"ragged": sorted(self.ragged)})


def rows_of(values: NDArray[Any], lengths: NDArray[np.int64], packed: bool) -> Sequence[NDArray[Any]]:
    """The tokens of each row, without padding."""
    if packed:
        return np.split(values[0], np.cumsum(lengths))[:-1]  # the last is the tail
    return [row[:length] for row, length in zip(values, lengths, strict=True)]


def prefix_key(anatomy: Anatomy, stop: int, inputs: Inputs, what: str) -> str:
    """A hash of the layers below group `stop`, of the inputs and of how they are run."""
    how = (
        what,
        "folded, tiled",
        stop,
        BATCH,
        torch.get_num_threads(),
        device_of(anatomy).type,
        anatomy.precision,
    )
    kind = f"{type(anatomy.model).__name__} {how} {torch.__version__} {transformers.__version__}"
    return digest(kind.encode(), settings_of(anatomy), inputs.key.encode(), *layers_below(anatomy, stop))


def layers_below(anatomy: Anatomy, stop: int) -> Iterator[bytes | memoryview]:
    """Structure and weights of the groups below `stop`."""
    for group in anatomy.groups[:stop]:
        for module in group.modules:
            yield str(module).encode()
            for name, tensor in module.state_dict().items():
                yield f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode()
                yield bytes_of(tensor)


def settings_of(anatomy: Anatomy) -> bytes:
    config: Any = anatomy.model.config
    table = {k: v for k, v in config.to_dict().items() if k not in ABOUT_LABELS}
    return json.dumps(table, sort_keys=True, default=str).encode()


def logits_of(anatomy: Anatomy, inputs: Inputs, start: int = 0) -> Tensor:
    """N x C scores of all rows in eval mode; `inputs` stand before group `start`."""
    return gather(anatomy, inputs, start, len(anatomy.groups))


def before_head(anatomy: Anatomy, inputs: Inputs, start: int = 0) -> Tensor:
    """N x D features that the head reads, in eval mode; `inputs` stand before group `start`."""
    return gather(anatomy, inputs, start, len(anatomy.groups) - 1)


@torch.inference_mode()
def gather(anatomy: Anatomy, inputs: Inputs, start: int, stop: int) -> Tensor:
    """N x C logits, or N x D features before group `stop`, of all rows in their order."""
    parts, order = [], []
    with at_rest(anatomy.model):
        for numbers in inputs.in_order(BATCH):
            state = read(anatomy, inputs, numbers)
            state = anatomy.run(state, start, stop)
            found = state["logits"] if "logits" in state else anatomy.features(state, stop)
            parts.append(found.float().cpu())
            order.append(numbers)
    return torch.cat(parts)[torch.from_numpy(np.argsort(np.concatenate(order)))]
