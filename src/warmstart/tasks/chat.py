"""Answers in conversations, learned word by word: from Python so far; the command line only ranks models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Finding
from warmstart.models.anatomy import OUTPUT, Anatomy, State
from warmstart.models.inputs import Ragged, TextInputs
from warmstart.models.load import Pretrained
from warmstart.models.precision import BF16
from warmstart.models.rows import layout_of
from warmstart.models.word_loss import word_loss, word_losses
from warmstart.tasks._conversations import Rendered, rendered
from warmstart.tasks._task import Look, Task
from warmstart.tasks.text_classification import check_vocabulary, padding_of, table_of_positions

IGNORED = -100  # torch's word for a place where nothing is asked
LONGEST = 1024  # tokens of a conversation


@dataclass(frozen=True)
class Chat(Task):
    """The next word, wherever an assistant speaks; targets are N x L word numbers, IGNORED elsewhere.

    What an answer ends with is part of it, so that the model learns to stop.
    """

    answers_only: bool = True  # or the loss of all words, those of users among them?

    modality: ClassVar[str] = "chat"
    pipeline: ClassVar[str] = "text-generation"
    roles: ClassVar[tuple[str, ...]] = ("messages",)
    primary: ClassVar[str] = "log_loss"
    score: ClassVar[str] = "bits_per_byte"
    whole_street: ClassVar[bool] = False
    fused: ClassVar[bool] = True

    def encode(
        self, pretrained: Pretrained, conversations: Sequence[Sequence[Mapping[str, str]]]
    ) -> tuple[TextInputs, Tensor, list[Finding]]:
        """Conversations -> inputs, targets, and what was noticed on the way.

        A conversation is a list of {"role", "content"}, written down by the tokenizer's chat template. Raises
        WarmstartError for one that cannot be, and where no word of any answer is left to learn.
        """
        limit = longest_chat(pretrained)
        rows = [rendered(pretrained, each, i, self.answers_only) for i, each in enumerate(conversations)]
        ids, asked = tokenised(pretrained.processor, rows, padding_of(pretrained))
        long = sum(len(row) > limit for row in ids)
        inputs = TextInputs(Ragged.of([row[:limit] for row in ids]), padding_of(pretrained))
        check_vocabulary(pretrained, inputs)
        targets = next_words(ids, asked, limit)
        if not bool((targets != IGNORED).any()):
            raise WarmstartError(
                f"none of the {len(rows)} conversations has a word of an assistant within {limit:,} tokens",
                'give messages with "role": "assistant"',
                "no-answers",
            )
        return inputs, targets, cut_chats(long, len(ids), limit)

    def loss_of(self, anatomy: Anatomy, state: State, start: int, targets: Tensor) -> tuple[Tensor, int]:
        hidden_TD, _, words_T = asked_states(anatomy, state, start, targets)
        return word_loss(hidden_TD, *output_of(anatomy), words_T, computed_in(anatomy)), len(words_T)

    def look(self, anatomy: Anatomy, state: State, start: int, targets: Tensor) -> Look:
        hidden_TD, rows_T, words_T = asked_states(anatomy, state, start, targets)
        found = word_losses(hidden_TD, *output_of(anatomy), words_T, computed_in(anatomy))
        zeros = targets.new_zeros(len(targets), dtype=torch.float64)
        sums = (
            zeros.index_add(0, rows_T, each.double())
            for each in (found.losses_T, found.right_T, torch.ones_like(rows_T))
        )
        losses_N, right_N, answers_N = sums
        return Look(losses_N, right_N.long(), answers_N.long())


def asked_states(
    anatomy: Anatomy, state: State, start: int, targets: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """T x D states below the output layer where a word is asked for; the rows they are of; the words."""
    check_anatomy(anatomy)
    state = anatomy.run(state, start, len(anatomy.groups) - 1)
    rows_T, places_T = (targets != IGNORED).nonzero(as_tuple=True)
    words_T = targets[rows_T, places_T].long()
    layout, hidden = layout_of(state), state["hidden"]
    if layout is None:
        return hidden[rows_T, places_T], rows_T, words_T
    return hidden[0].index_select(0, layout.starts[rows_T] + places_T), rows_T, words_T


def check_anatomy(anatomy: Anatomy) -> None:
    if anatomy.names[-1] != OUTPUT:
        kind = anatomy.model.config.model_type  # type: ignore[union-attr]
        raise WarmstartError(
            f"a {kind} model cannot learn conversations here",
            "take a language model of the families GPT-2, Llama, Qwen, Mistral, Gemma or GPT-NeoX",
            "unfit-model",
        )


def output_of(anatomy: Anatomy) -> tuple[Tensor, Tensor | None]:
    """Weights (V x D) and biases of the output layer, which may be tied to the embeddings."""
    linear: Any = anatomy.model.get_output_embeddings()  # type: ignore[operator]
    return linear.weight, linear.bias


def computed_in(anatomy: Anatomy) -> torch.dtype:
    return torch.bfloat16 if anatomy.precision == BF16 else output_of(anatomy)[0].dtype


def tokenised(tokenizer: Any, rows: Sequence[Rendered], padding: int) -> tuple[list[list[int]], list[Any]]:
    """Token numbers of each row, and which of its tokens are asked for: those that begin inside a span."""
    if not rows:
        return [], []
    given = tokenizer(
        [row.text for row in rows], add_special_tokens=False, return_offsets_mapping=True, verbose=False
    )
    ids, asked = [], []
    for row, tokens, offsets in zip(rows, given["input_ids"], given["offset_mapping"], strict=True):
        begins = np.array([begin for begin, _ in offsets], np.int64)
        inside = np.zeros(len(tokens), bool)
        for begin, end in row.spans:
            inside |= (begins >= begin) & (begins < end)
        ids.append(tokens or [padding])
        asked.append(inside if tokens else np.zeros(1, bool))
    return ids, asked


def next_words(ids: Sequence[Sequence[int]], asked: Sequence[Any], limit: int) -> Tensor:
    """N x L: at each place the number of the word that follows, where that is asked for."""
    longest = min(limit, max(map(len, ids), default=1))
    targets = np.full((len(ids), longest), IGNORED, np.int32)
    for row, (tokens, inside) in enumerate(zip(ids, asked, strict=True)):
        following = np.where(inside[1:limit], tokens[1:limit], IGNORED)
        targets[row, : len(following)] = following
    return torch.from_numpy(targets)


def longest_chat(pretrained: Pretrained) -> int:
    """Most tokens of a conversation."""
    config: Any = pretrained.module.config.get_text_config()
    limits = [LONGEST, pretrained.processor.model_max_length]
    limits += [getattr(config, name, None) or 0 for name in ("max_position_embeddings", "n_positions")]
    table = table_of_positions(pretrained.module)
    limits.append(0 if table is None else table.num_embeddings)
    return int(min(limit for limit in limits if limit > 0))


def cut_chats(cut: int, total: int, limit: int) -> list[Finding]:
    if not cut:
        return []
    return [
        Finding(
            "cut_chats",
            "warning" if 100 * cut > total else "note",
            f"{cut:,} of {total:,} conversations are longer than {limit:,} tokens",
            "their ends were cut off, with the answers that stand there",
            cut,
        )
    ]


TASK = Chat
