"""A small world for the whole street: tiny models, and data that a word or a colour decides."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
PLAIN = ["".join(pair) for pair in product(("ba", "ke", "li", "mo", "nu", "sa", "te"), repeat=2)] + [
    "".join(pair) for pair in product(("do", "fi", "ga", "pe", "ro", "vu", "zi"), repeat=2)
]
TELLING = {
    "bad": ("awful", "boring", "broken", "poor", "sad", "weak"),
    "good": ("bright", "clever", "fine", "great", "lovely", "warm"),
    "mixed": ("fair", "half", "medium", "partly", "so-so", "usual"),
}
COLOURS = {"blue": (40, 60, 200), "green": (50, 170, 60), "red": (200, 50, 40)}


def text_model(folder: Path, seed: int = 0, classes: Sequence[str] = ()) -> Path:
    """A BERT of random weights that knows the words of this world; with a head if it has `classes`."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel

    names = {"id2label": dict(enumerate(classes))} if classes else {}
    config = BertConfig(
        vocab_size=len(vocabulary()), hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=32, initializer_range=0.05, **names,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = (BertForSequenceClassification if classes else BertModel)(config)
    module.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def vocabulary() -> dict[str, int]:
    words = [*SPECIAL, *PLAIN, *(word for words in TELLING.values() for word in words)]
    return {word: number for number, word in enumerate(words)}


def tokenizer():
    """A word is a token; [CLS] before and [SEP] behind."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.WordLevel(vocabulary(), unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, model_max_length=32,
        pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
    )  # fmt: skip


def image_model(folder: Path, seed: int = 0) -> Path:
    """A ResNet of random weights for pictures of 32 x 32."""
    import torch
    from transformers import ResNetConfig, ResNetModel, ViTImageProcessorPil

    config = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = ResNetModel(config)
    module.save_pretrained(folder)
    ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def reviews(count: int, seed: int = 0, classes: Sequence[str] = ("bad", "good")) -> list[tuple[str, str]]:
    """Texts of nine words with their labels, the classes in turn; two of the words tell."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        label = classes[number % len(classes)]
        words = [*random.choice(PLAIN, 7, replace=False), *random.choice(TELLING[label], 2, replace=False)]
        rows.append((" ".join(random.permutation(words)), label))
    return rows


def clear_reviews(count: int) -> list[tuple[str, str]]:
    """Four of seven words tell, so that even a network of random weights knows the classes."""
    rng = np.random.default_rng(5)
    rows = []
    for number in range(count):
        label = ("bad", "good")[number % 2]
        words = [*rng.choice(PLAIN, 3), *rng.choice(TELLING[label], 4)]
        rows.append((" ".join(words), label))
    return rows


def write_csv(path: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = ("review", "mood")) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    return path


def picture(colour: str, random: np.random.Generator, side: int = 16) -> Image.Image:
    """Of one colour, with a dark square somewhere, under strong noise."""
    pixels = np.tile(np.array(COLOURS[colour], float), (side, side, 1)) + random.normal(
        0, 40, (side, side, 3)
    )
    x, y = random.integers(0, side - 5, 2)
    pixels[x : x + 5, y : y + 5] *= 0.4
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def write_shapes(folder: Path, each: int = 20, seed: int = 0) -> Path:
    """folder/<colour>/<n>.png"""
    random = np.random.default_rng(seed)
    for colour in COLOURS:
        (folder / colour).mkdir(parents=True)
        for number in range(each):
            picture(colour, random).save(folder / colour / f"{number}.png")
    return folder


def stamps(folder: Path) -> dict[Path, int]:
    """When each file was last written; the lock and the list of events apart."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.name not in (".lock", "events.jsonl"))
    return {path: path.stat().st_mtime_ns for path in files}


def networks_of(result):
    """The runs of a result that are networks, by name."""
    return {name: run for name, run in result.runs.items() if not run.baseline}


def same_findings(one, other) -> bool:
    """Asserts that two results are equal but for where, when and how long."""
    assert timeless(one) == timeless(other)
    return True


def timeless(result):
    runs = {name: replace(run, seconds=0.0) for name, run in result.runs.items()}
    ranking = tuple(replace(model, seconds=0.0, pace=0.0) for model in result.ranking)
    beside = replace(result.baseline, seconds=0.0) if result.baseline else None
    tried = tuple(replace(pilot, seconds=0.0) for pilot in result.facts.pilots)
    facts = replace(result.facts, prices={}, pilots=tried)
    same = replace(result, run="", created="", seconds=0.0, runs=runs, ranking=ranking)
    return replace(same, baseline=beside, facts=facts)
