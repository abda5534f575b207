"""Only the rows of a table of embeddings that occur take part in a training; the others could not move.

A vocabulary has tens of thousands of rows, and most data use a few thousand of them. The gradient of the
others is zero, no decay falls on such a table, so that leaving them out changes no weight, and saves the
time and room of their gradient and moments.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from warmstart.models.anatomy import Anatomy
from warmstart.models.gathered import gathered
from warmstart.models.inputs import Inputs, Ragged, TextInputs

LARGE = 2_000  # rows; smaller tables are left whole
MOST = 0.9  # share of rows that may occur for it to be worth the trouble


@dataclass(frozen=True)
class Vocabulary:
    """A table of embeddings, which of its rows occur, and what it was."""

    name: str  # of the table in the state dict
    table: nn.Embedding
    whole: Tensor
    used: Tensor  # numbers of rows that occur, ascending

    def expanded(self) -> Tensor:
        """A copy of the whole table, with the rows that occur as they are now."""
        whole = self.whole.clone()
        whole[self.used] = gathered(self.table.weight.detach())
        return whole

    @torch.no_grad()
    def take(self, whole: Tensor) -> None:
        """Set the rows that occur to those of `whole`."""
        self.table.weight.copy_(whole.to(self.used.device)[self.used])

    def shortened(self, inputs: Inputs) -> TextInputs:
        """The same texts, with the numbers that their tokens have in the short table."""
        assert isinstance(inputs, TextInputs)
        places = np.zeros(len(self.whole), np.int64)
        places[self.used.cpu().numpy()] = np.arange(len(self.used))
        ids = Ragged(places[inputs.ids.flat], inputs.ids.offsets)
        return TextInputs(ids, int(places[inputs.padding]), inputs.types)


def find(anatomy: Anatomy, inputs: Iterable[Inputs]) -> Vocabulary | None:
    """The vocabulary of a model that learns from these inputs; None where all of it should stay."""
    given = list(inputs)
    texts = [text for text in given if isinstance(text, TextInputs)]
    if len(texts) < len(given):
        return None
    table: Any = anatomy.model.get_input_embeddings()  # type: ignore[operator]
    if not isinstance(table, nn.Embedding) or not table.weight.requires_grad or len(table.weight) < LARGE:
        return None
    named = anatomy.model.named_parameters(remove_duplicate=False)
    names = [name for name, parameter in named if parameter is table.weight]
    used = rows_that_occur(texts, table)
    if len(names) != 1 or len(used) > MOST * len(table.weight):  # tied to something else, or mostly in use
        return None
    return Vocabulary(names[0], table, table.weight.detach(), torch.from_numpy(used).to(table.weight.device))


def rows_that_occur(texts: Iterable[TextInputs], table: nn.Embedding) -> NDArray[np.int64]:
    fixed = [] if table.padding_idx is None else [table.padding_idx]
    parts = [np.unique(text.ids.flat) for text in texts]
    return np.unique(np.concatenate([*parts, fixed, [text.padding for text in texts]]).astype(np.int64))


@contextmanager
def short(vocabulary: Vocabulary) -> Iterator[None]:
    """Meanwhile the table has only the rows that occur; then it is whole again, with what they learned."""
    table, padding = vocabulary.table, vocabulary.table.padding_idx
    table.weight.data = vocabulary.whole[vocabulary.used].clone()
    table.num_embeddings = len(vocabulary.used)
    if padding is not None:
        table.padding_idx = int((vocabulary.used == padding).nonzero())
    try:
        yield
    finally:
        vocabulary.whole[vocabulary.used] = table.weight.detach()
        table.weight.data, table.weight.grad = vocabulary.whole, None
        table.num_embeddings, table.padding_idx = len(vocabulary.whole), padding


def whole_tensors(state: Mapping[str, Tensor], vocabulary: Vocabulary | None) -> dict[str, Tensor]:
    """A state dict in which the table is whole."""
    return {
        name: vocabulary.expanded() if vocabulary is not None and name == vocabulary.name else tensor
        for name, tensor in state.items()
    }
