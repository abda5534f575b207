"""What texts cost a causal language model, in nats: every byte of them, whatever the tokenizer makes of it.

A text is read behind a start token, so that its first token is asked for like any other; where a tokenizer
has none, its first token costs a guess among all. Long texts are read in stretches that overlap by half, and
each token is asked for once, with at least half of what the model can look back on before it. What the tokens
do not say (unknown characters, spaces that were dropped) is spelled out at 8 bits a byte, so that a tokenizer
cannot gain by forgetting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from warmstart.base.types import Finding
from warmstart.models.anatomy import at_rest
from warmstart.models.features import BATCH, read
from warmstart.models.inputs import Inputs, Ragged, TextInputs
from warmstart.models.load import Pretrained
from warmstart.tasks.chat import IGNORED, Chat, longest_chat
from warmstart.tasks.text_classification import check_vocabulary, padding_of, text_of

BYTE = float(np.log(256))  # nats of a byte that one knows nothing of


@dataclass(frozen=True, eq=False)
class Stretches:
    """N texts as S rows that a model can read, which tokens these ask for, and what the texts cost beside."""

    inputs: TextInputs
    targets: Tensor  # S x L: the token that follows each, or IGNORED
    owners_S: NDArray[np.int64]
    spelled_N: NDArray[np.float64]  # nats of what no token says
    bytes_N: NDArray[np.int64]  # in UTF-8
    findings: tuple[Finding, ...]


def stretches_of(pretrained: Pretrained, texts: Sequence[object]) -> Stretches:
    """The texts as this candidate's tokenizer cuts them; WarmstartError where it does not fit the model."""
    plain = [text_of(text) for text in texts]
    limit, start = longest_chat(pretrained), start_of(pretrained)
    ids = pretrained.processor(plain, add_special_tokens=False, verbose=False)["input_ids"] if plain else []
    lost_N = np.array([lost(pretrained.processor, *each) for each in zip(plain, ids, strict=True)], np.int64)
    bytes_N = np.array([len(text.encode()) for text in plain], np.int64)
    spelled_N: NDArray[np.float64] = np.multiply(lost_N, BYTE, dtype=np.float64)
    if start is None:
        spelled_N[[i for i, row in enumerate(ids) if row]] += guess(pretrained)
    rows = [(row if start is None else [start, *row]) for row in ids]
    cut = [(i, *part) for i, row in enumerate(rows) for part in cuts(row, limit)]
    inputs = TextInputs(Ragged.of([read for _, read, _ in cut]), padding_of(pretrained))
    check_vocabulary(pretrained, inputs)
    return Stretches(
        inputs,
        targets_of([asked for _, _, asked in cut]),
        np.array([i for i, _, _ in cut], np.int64),
        spelled_N,
        bytes_N,
        tuple(noticed(pretrained, start, lost_N, bytes_N)),
    )


@torch.inference_mode()
def words_of(
    pretrained: Pretrained, stretches: Stretches, inputs: Inputs | None = None
) -> NDArray[np.float64]:
    """N x 2: nats and bytes of each text. `inputs` are those of the stretches, perhaps fewer at a time."""
    nats_N = stretches.spelled_N.copy()
    task, rows = Chat(answers_only=False), stretches.inputs if inputs is None else inputs
    with at_rest(pretrained.module):
        for numbers in rows.in_order(BATCH):
            state = read(pretrained.anatomy, rows, numbers)
            targets = stretches.targets[torch.from_numpy(numbers)].to(state["input_ids"].device)
            losses = task.look(pretrained.anatomy, state, 0, targets).losses_N.cpu().numpy()
            np.add.at(nats_N, stretches.owners_S[numbers], losses)
    return np.stack([nats_N, stretches.bytes_N.astype(np.float64)], 1)


def start_of(pretrained: Pretrained) -> int | None:
    """What stands before a text: the token that begins one, else the one that ends the one before.

    The model's own settings come last: they have defaults that belong to no vocabulary.
    """
    tokenizer, config = pretrained.processor, pretrained.module.config.get_text_config()
    known = (tokenizer.bos_token_id, tokenizer.eos_token_id, getattr(config, "bos_token_id", None))
    words = pretrained.module.get_input_embeddings().num_embeddings
    return next((int(token) for token in known if token is not None and token < words), None)


def guess(pretrained: Pretrained) -> float:
    """Nats of a token of which nothing is known."""
    return float(np.log(pretrained.module.get_input_embeddings().num_embeddings))


def lost(tokenizer: Any, text: str, ids: Sequence[int]) -> int:
    """Bytes of the characters that the tokens do not give back, wherever they stood."""
    back = tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
    if back == text:
        return 0
    said = back.replace(tokenizer.unk_token, "") if tokenizer.unk_token else back
    missing = Counter(text) - Counter(said)
    return sum(times * len(character.encode()) for character, times in missing.items())


def cuts(row: Sequence[int], limit: int) -> list[tuple[Sequence[int], list[int]]]:
    """(tokens to read, what is asked for behind each) of stretches that ask for each token but the first."""
    step, found, known = max(1, limit // 2), [], 1
    for begin in range(0, max(0, len(row) - 1), step):
        following = list(row[begin + 1 : begin + 1 + limit])
        fresh = len(following) - max(0, known - begin - 1)
        asked = [IGNORED] * (len(following) - fresh) + following[len(following) - fresh :]
        found.append((row[begin : begin + len(following)], asked))
        known = begin + 1 + len(following)
        if known >= len(row):
            break
    return found


def targets_of(asked: Sequence[Sequence[int]]) -> Tensor:
    targets = np.full((len(asked), max(map(len, asked), default=1)), IGNORED, np.int64)
    for row, words in zip(targets, asked, strict=True):
        row[: len(words)] = words
    return torch.from_numpy(targets)


def noticed(
    pretrained: Pretrained, start: int | None, lost_N: NDArray[np.int64], bytes_N: NDArray[np.int64]
) -> list[Finding]:
    found = []
    if start is None:
        what = f"{pretrained.source}: its tokenizer has no token that begins a text"
        do = f"the first token of each text was taken for a guess of {guess(pretrained):.1f} nats"
        found.append(Finding("start_token", "note", what, do, len(bytes_N)))
    if lost_N.any():
        share = 100 * lost_N.sum() / bytes_N.sum()
        what = f"{pretrained.source}: its tokens do not say {lost_N.sum():,} of {bytes_N.sum():,} bytes"
        do = "they were counted with 8 bits each; another tokenizer may suit these texts better"
        level = "warning" if share > 1 else "note"
        found.append(Finding("lost_bytes", level, f"{what} ({share:.1f} %)", do, int((lost_N > 0).sum())))
    return found
