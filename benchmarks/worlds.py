"""Worlds whose truth is known: texts of which there are as many as one wants, and tiny networks for them.

A text is a row of words. Most are plain; the others come from the topic of the text, and the topic decides
the label, but for a share of labels that are drawn at random. A network that was taught most of the topics
has an advantage over a fresh one; one with fresh weights has none.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from warmstart.base.seeds import generator, stream
from warmstart.models.config import quiet

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
PLAIN, TELLING = 120, 20  # words; and words of each topic
TOPICS, TAUGHT = 8, 6  # topics; of which the first are taught
LENGTH = 14  # words of a text
CLS, SEP, FIRST = 2, 3, len(SPECIAL)
PRETRAINING = (600, 64, 2e-3)  # steps, rows a step, rate
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """How texts and labels come about, and which network one starts from."""

    name: str
    rows: int  # of which a fifth are test rows
    topics: tuple[tuple[int, ...], ...]  # of each class
    shares: tuple[float, ...]  # of the classes
    clear: float  # share of the words that come from the topic
    noise: float  # share of the labels that are drawn at random
    taught: bool  # does the network know the topics?
    differs: bool = True  # can fine-tuning gain anything at all?

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple("abcdef"[: len(self.topics)])

    def draw(self, count: int, random: np.random.Generator) -> tuple[Ints, Ints]:
        """Tokens of `count` fresh texts, N x L without [CLS] and [SEP], and their classes."""
        real_N = random.choice(len(self.topics), count, p=self.shares)
        topic_N = np.empty(count, np.int64)
        for number, topics in enumerate(self.topics):
            here_N = real_N == number
            topic_N[here_N] = random.choice(topics, here_N.sum())
        other_N = random.choice(len(self.topics), count, p=self.shares)
        label_N = np.where(random.random(count) < self.noise, other_N, real_N)
        return words_of(topic_N, self.clear, random), label_N


WORLDS = (
    # Pretraining helps much, and tuning beyond it: two topics are new to the network.
    World("related", 700, ((0, 1), (2, 6), (4, 7)), (0.4, 0.35, 0.25), 0.25, 0.1, taught=True),
    # Classes of very different size, few rows of the smallest.
    World("uneven", 1000, ((0, 1, 2, 6), (3, 4), (5,)), (0.7, 0.22, 0.08), 0.25, 0.15, taught=True),
    # The labels have nothing to do with the texts: no network is better than another.
    World(
        "noise",
        700,
        ((0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 4, 5)),
        (0.5, 0.5),
        0.25,
        1.0,
        taught=True,
        differs=False,
    ),
    # Fresh weights that are called pretrained, and a task that all learn up to the noise of its labels.
    World("fresh", 1000, ((0, 1), (3, 4)), (0.5, 0.5), 0.8, 0.3, taught=False, differs=False),
)


def words_of(topic_N: Ints, clear: float, random: np.random.Generator) -> Ints:
    """Tokens of texts about these topics."""
    shape = len(topic_N), LENGTH
    plain_NL = random.integers(0, PLAIN, shape)
    telling_NL = PLAIN + topic_N[:, None] * TELLING + random.integers(0, TELLING, shape)
    return FIRST + np.where(random.random(shape) < clear, telling_NL, plain_NL)


def vocabulary() -> dict[str, int]:
    words = [*SPECIAL, *(f"w{number}" for number in range(PLAIN + TOPICS * TELLING))]
    return {word: number for number, word in enumerate(words)}


def texts_of(tokens_NL: Ints) -> list[str]:
    names = list(vocabulary())
    return [" ".join(names[token] for token in row) for row in tokens_NL]


def write_rows(path: Path, world: World, rows: int, seed: int) -> Path:
    """A table of the world's texts with their labels; another name of the file, other rows."""
    tokens_NL, label_N = world.draw(rows, generator(seed, path.stem, world.name))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = zip(texts_of(tokens_NL), (world.labels[c] for c in label_N), strict=True)
        csv.writer(file, lineterminator="\n").writerows([("text", "label"), *rows])
    return path


def write_network(folder: Path, taught: bool, seed: int) -> Path:
    """A small BERT, taught to name the topics or fresh, as a folder; written whole or not at all."""
    if not folder.is_dir():
        draft = folder.with_name(f".{folder.name}.tmp")
        shutil.rmtree(draft, ignore_errors=True)
        network = network_of(stream(seed, "network"))
        if taught:
            teach(network, seed)
        with quiet():
            network.bert.save_pretrained(draft)
            tokenizer().save_pretrained(draft)
        draft.rename(folder)
    return folder


def network_of(seed: int) -> torch.nn.Module:
    from transformers import BertConfig, BertForSequenceClassification

    config = BertConfig(
        vocab_size=len(vocabulary()), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=LENGTH + 2, num_labels=TAUGHT, initializer_range=0.05,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return BertForSequenceClassification(config)


def teach(network: torch.nn.Module, seed: int) -> None:
    """Name the topic of fresh texts, step by step."""
    steps, batch, rate = PRETRAINING
    random = generator(seed, "pretraining")
    stepper = torch.optim.AdamW(network.parameters(), lr=rate)
    with torch.random.fork_rng():
        torch.manual_seed(stream(seed, "dropout"))
        network.train()
        for _ in range(steps):
            topic_N = random.integers(0, TAUGHT, batch)
            logits = network(input_ids=whole(words_of(topic_N, 0.25, random))).logits
            torch.nn.functional.cross_entropy(logits, torch.from_numpy(topic_N)).backward()
            stepper.step()
            stepper.zero_grad()
    network.eval()


def tokenizer() -> object:
    """A word is a token; [CLS] before and [SEP] behind."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.WordLevel(vocabulary(), unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    ends = [("[CLS]", CLS), ("[SEP]", SEP)]
    inner.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=inner, model_max_length=LENGTH + 2, **names)


def whole(tokens_NL: Ints) -> torch.Tensor:
    """With [CLS] before and [SEP] behind, as the tokenizer gives them."""
    return torch.from_numpy(np.pad(tokens_NL, ((0, 0), (1, 1)), constant_values=((0, 0), (CLS, SEP))))


def asked(folder: Path, tokens_NL: Ints, labels: Sequence[str], at_a_time: int = 2000) -> NDArray[np.float64]:
    """What the saved model of a folder says about texts, by plain transformers: probabilities N x C."""
    from transformers import AutoModelForSequenceClassification

    with quiet():
        model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    order = [model.config.label2id[label] for label in labels]
    with torch.inference_mode():
        parts = [model(input_ids=part).logits for part in whole(tokens_NL).split(at_a_time)]
    return torch.cat(parts).double().softmax(-1).numpy()[:, order]
