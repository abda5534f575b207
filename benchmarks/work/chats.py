"""Conversations of about 200 tokens in which answers follow rules that a language model can learn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

WORDS = 50_000
TOPICS = 40
TURNS, WORDS_A_TURN = 4, 25  # of a question and of an answer each
FAITHFUL = 0.85  # share of an answer's words that the word before decides


def word(number: int) -> str:
    return f"t{number}"


def write_chats(folder: Path, sizes: dict[str, int], seed: int = 0) -> None:
    """A JSONL with {"messages": [{"role", "content"}]} for each split."""
    source = np.random.default_rng(seed)
    after = source.integers(200, 200 + 50 * TOPICS, size=WORDS)  # the word that follows a word in an answer
    for split, count in sizes.items():
        lines = [json.dumps({"messages": messages(source, after)}) for _ in range(count)]
        (folder / f"{split}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def messages(source: np.random.Generator, after: np.ndarray) -> list[dict[str, str]]:
    out = []
    for _ in range(TURNS):
        length = max(4, int(source.normal(WORDS_A_TURN, 6)))
        asked = (np.exp(source.random(length) * np.log(WORDS)) - 1).astype(np.int64)
        said = [int(asked[0])]
        for _ in range(length):
            follows = source.random() < FAITHFUL
            said.append(int(after[said[-1]]) if follows else int(source.integers(200, 2200)))
        out.append({"role": "user", "content": " ".join(word(n) for n in asked)})
        out.append({"role": "assistant", "content": " ".join(word(n) for n in said)})
    return out
