"""The rows of the suite: what is trained, by whom, and how large, whole and in the quick version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path

from benchmarks.pairs import Contender
from benchmarks.work.work import Work

HELD = ("pooler", "head")  # groups that are no layers
SCRIPT = ("{work}", "{out}")
TRAINER = ("accelerate", "datasets")


def peer(name: str, module: str, *flags: str, needs: tuple[str, ...] = TRAINER) -> Contender:
    return Contender(name, (f"benchmarks.peers.{module}", *SCRIPT, *flags), needs)


OURS = Contender("warmstart", ("benchmarks.ours", *SCRIPT))
CHAT = replace(OURS, needs=("peft",))
STREET = Contender("warmstart street", ("benchmarks.ours", *SCRIPT, "--street"))
DEFAULTS = peer("trainer", "hf_trainer")
BF16 = peer("trainer bf16", "hf_trainer", "--bf16")
BEST = peer("trainer grouped bf16", "hf_trainer", "--grouped", "--bf16")
FASTAI = peer("fastai", "fastai_loop", needs=("fastai",))
LIGHTNING = peer("lightning", "lightning_loop", needs=("lightning",))
PLAIN = peer("plain loop", "plain_loop", needs=())
SFT = peer("trl", "trl_chat", needs=("trl", "peft"))
SFT_BEST = peer("trl best", "trl_chat", "--best", needs=("trl", "peft"))
FIRST = peer("trainer", "hf_trainer", "--first-step")
PEAKS = (peer("peak bf16", "matmul", "--bf16", needs=()), peer("peak fp32", "matmul", needs=()))
EVENTS = "runs/*/events.jsonl"
TUNERS = (OURS, DEFAULTS, BEST, FASTAI, LIGHTNING, PLAIN)
CHATTERS = (CHAT, SFT, SFT_BEST)
TEXTS, CHATS = "texts:4000:400", "chats:1000:100"


@dataclass(frozen=True)
class Trial:
    """One network on prepared rows, and who trains it. The first contender is ours."""

    label: str
    network: str
    data: str  # as benchmarks.work is asked for it: kind, training rows, rows of validation and of test
    contenders: tuple[Contender, ...]
    epochs: int
    lr: float
    batch: int = 32
    top: int | None = None  # layers that learn beside the head; None: all
    third: bool = False  # the top third of the layers
    seeds: int = 1  # networks of this shape that have to lie there
    norms: bool = True  # do norm statistics of layers that learn follow the batches, on both sides?
    device: str = "cpu"

    @property
    def kind(self) -> str:
        return {"texts": "text", "photos": "image", "chats": "chat"}[self.data.partition(":")[0]]

    def shared(self, share: float) -> Trial:
        """The same with a share of the training rows."""
        kind, rows, *rest = self.data.split(":")
        return replace(self, data=":".join([kind, str(max(1, round(int(rows) * share))), *rest]))

    @property
    def held(self) -> int:
        return int(self.data.rpartition(":")[2])

    def wanted(self) -> list[str]:
        """What has to be prepared."""
        return [self.data, *(f"networks:{self.network}:{n}" for n in range(self.seeds))]

    def work(self, place: Path, threads: int, seed: int) -> Work:
        network = place / f"{self.network}-0"
        learn, frozen = self.layers(network)
        return Work(
            kind=self.kind,
            network=str(network),
            data=str(place / self.data.replace(":", "-")),
            epochs=self.epochs,
            lr=self.lr,
            batch=self.batch,
            learn=learn,
            frozen=frozen,
            norms=self.norms,
            seed=seed,
            threads=threads,
            candidates=self.seeds,
            device=self.device,
        )

    def layers(self, network: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Groups that learn, and the parameters of all others."""
        if self.top is None and not self.third:
            return ("*",), ()
        groups = json.loads((network / "layers.json").read_text(encoding="utf-8"))
        count = sum(name not in HELD for name, _ in groups)
        first = count - (ceil(count / 3) if self.third else self.top or 0)
        names = tuple(name for name, _ in groups[first:])
        return names, tuple(p for _, parameters in groups[:first] for p in parameters)


LARGER = {  # row: what a GPU trains too
    "P1": Trial("bert-12x768", "bert-12x768", TEXTS, TUNERS, 1, 5e-5),
    "P6": Trial("gpt2-12x768", "gpt2-12x768", CHATS, CHATTERS, 1, 1e-3, 16),
    "P9": Trial("bert-12x768", "bert-12x768", TEXTS, (OURS, *PEAKS), 1, 5e-5),
}


@dataclass(frozen=True)
class Row:
    id: str
    title: str
    trials: tuple[Trial, ...]
    notes: tuple[str, ...] = field(default=())

    def shared(self, share: float) -> Row:
        return replace(self, trials=tuple(trial.shared(share) for trial in self.trials))

    def on(self, device: str) -> Row:
        """The same on a device."""
        return replace(self, trials=tuple(replace(trial, device=device) for trial in self.trials))

    def noting(self, notes: Sequence[str]) -> Row:
        """The same with more to be said beside its numbers."""
        return replace(self, notes=(*self.notes, *notes))

    def of(self, networks: Sequence[str]) -> Row:
        """The same with the trials of these networks only; none named: all."""
        return replace(self, trials=tuple(t for t in self.trials if not networks or t.network in networks))

    def without(self, names: Sequence[str]) -> Row:
        """The same with fewer peers."""
        kept = [tuple(c for c in t.contenders if c.name not in names) for t in self.trials]
        trials = zip(self.trials, kept, strict=True)
        return replace(self, trials=tuple(replace(t, contenders=sides) for t, sides in trials))


def all_rows(quick: bool, device: str = "cpu") -> dict[str, Row]:
    """On a GPU the whole suite has networks beside the small ones that keep it busy."""
    made = (text_full, text_top, image_frozen, image_third, image_full, chat, first_step, whole_street, peak)
    rows = {row.id: row.on(device) for row in (make(quick) for make in made)}
    if device != "cpu" and not quick:
        for name, trial in LARGER.items():
            rows[name] = replace(rows[name], trials=(*rows[name].trials, replace(trial, device=device)))
    return rows


def text_full(quick: bool) -> Row:
    data, epochs, batch = ("texts:320:60", 1, 16) if quick else (TEXTS, 3, 32)
    trials = (
        Trial("bert-4x256", "bert-4x256", data, TUNERS, epochs, 5e-4, batch),
        Trial("minilm-6x384", "minilm-6x384", data, TUNERS, epochs, 3e-4, batch),
    )
    return Row("P1", "full tuning, texts", trials[:1] if quick else trials)


def text_top(quick: bool) -> Row:
    data, epochs, batch = ("texts:96:32", 3, 8) if quick else (TEXTS, 5, 32)
    trials = tuple(
        Trial(f"{name} top 2", name, data, (OURS, BEST), epochs, 5e-4, batch, top=2)
        for name in ("minilm-6x384", "minilm-12x384")
    )
    return Row("P2", "top 2 layers, texts", trials[:1] if quick else trials)


def photos(quick: bool) -> str:
    return "photos:24:12" if quick else "photos:1000:240"


def image_frozen(quick: bool) -> Row:
    sides = (OURS, DEFAULTS, BF16)
    return images("P3", "frozen features and a new head, images", quick, sides, 10, 1e-2, top=0)


def image_third(quick: bool) -> Row:
    return images("P4", "top third, images", quick, (OURS, DEFAULTS), 10, 3e-4, third=True)


def image_full(quick: bool) -> Row:
    return images("P5", "full tuning, images", quick, (OURS, DEFAULTS, BF16), 2 if quick else 5, 2e-4)


def images(
    id: str,
    title: str,
    quick: bool,
    sides: tuple[Contender, ...],
    epochs: int,
    lr: float,
    top: int | None = None,
    third: bool = False,
) -> Row:
    """Both networks; quick, the larger one on few pictures.

    transformers gives MobileNet's norms TensorFlow's momentum, so that they know the last batch alone; we
    turn it round, and then both sides would be judged by different statistics. So they stand still on both.
    """
    names, batch = (("resnet-18",), 12) if quick else (("mobilenet-v2", "resnet-18"), 32)
    return Row(
        id,
        title,
        tuple(
            Trial(
                name, name, photos(quick), sides, epochs, lr, batch, top, third, norms=name != "mobilenet-v2"
            )
            for name in names
        ),
    )


def chat(quick: bool) -> Row:
    data = "chats:8:4" if quick else CHATS
    trial = Trial("gpt2-6x384", "gpt2-6x384", data, CHATTERS, 1, 3e-3, 4 if quick else 16)
    return Row("P6", "LoRA on conversations", (trial,))


def first_step(quick: bool) -> Row:
    data = "texts:200:40"
    given = ("--from", "{network}", "--strategy", "full", "--out", "{scratch}/runs")
    cli = Contender("warmstart run", ("warmstart", "run", "{data}/train.csv", *given), steps=EVENTS)
    python = Contender("warmstart in python", STREET.words, steps="*/events.jsonl")
    trials = tuple(
        Trial(label, "bert-4x256", data, (side, FIRST), 1, 5e-4)
        for label, side in (("command line", cli), ("python", python))
    )
    return Row("P7", "process start to the first step of the optimiser", trials)


def whole_street(quick: bool) -> Row:
    sides = (STREET, DEFAULTS)
    if quick:
        small = Trial("bert-2x64", "bert-2x64", "texts:200:40", sides, 5, 5e-3, 16, seeds=4)
        return Row("P8", "the whole street against one tuning", (small,))
    texts = Trial("minilm-6x384", "minilm-6x384", TEXTS, sides, 3, 3e-4, seeds=4)
    pictures = Trial("resnet-18", "resnet-18", photos(quick), sides, 5, 1e-3, seeds=4)
    return Row("P8", "the whole street against one tuning", (texts, pictures))


def peak(quick: bool) -> Row:
    name, data = ("bert-4x256", "texts:320:60") if quick else ("minilm-6x384", TEXTS)
    trial = Trial(name, name, data, (OURS, *PEAKS), 1, 3e-4, 16 if quick else 32)
    return Row("P9", "share of the matrix product's speed that a step reaches", (trial,))
