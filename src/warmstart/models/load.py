"""From a folder, a hub id or the embedded zoo to a model that can learn, its processor and its anatomy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import stream
from warmstart.base.types import Candidate, Finding
from warmstart.models import card, repair
from warmstart.models.anatomy import Anatomy, anatomy_of

AUTO = {"text": "AutoModelForSequenceClassification", "image": "AutoModelForImageClassification"}
PROCESSOR = {"text": "AutoTokenizer", "image": "AutoImageProcessor"}
NEEDED = {"text": ("tokenizer", "tokenizer.json"), "image": ("image processor", "preprocessor_config.json")}


@dataclass(frozen=True)
class Pretrained:
    """A model to start from: module, processor and the order of its layers."""

    source: str
    module: Any  # a transformers PreTrainedModel in float32
    processor: Any  # its tokenizer or image processor
    anatomy: Anatomy
    modality: str  # "text" or "image"
    labels: tuple[str, ...] = ()  # class names of the head that came trained; () if the head is fresh
    findings: tuple[Finding, ...] = ()

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.module.parameters())

    def with_module(self, module: nn.Module) -> Pretrained:
        """The same with a changed module; its anatomy is looked at anew."""
        return replace(self, module=module, anatomy=anatomy_of(module))


def load(
    source: str, modality: str, *, weights: bool = True, seed: int = 0, allow_pickle: bool = False
) -> Pretrained:
    """Load the classification model of a folder, a hub id or "zoo:NAME" in float32.

    weights=False keeps shape and processor but takes fresh weights from `seed`. Only safetensors are read
    unless `allow_pickle`, and then without running code; code that a model brings along is never run.
    """
    where = card.locate(source)
    config = read_config(where, source)
    refuse_pickle(where, source, allow_pickle)
    module, fresh = build(where, source, config, modality, weights, seed, allow_pickle)
    findings = repair.repair(module)
    processor = read_processor(where, source, modality)
    labels = () if fresh or not weights else tuple(config.id2label[i] for i in range(config.num_labels))
    return Pretrained(source, module, processor, anatomy_of(module), modality, labels, tuple(findings))


def candidate(source: str) -> Candidate:
    """What is known of a model without running it: its size, and what its card says."""
    return card.candidate(source)


def read_config(where: str, source: str) -> Any:
    from transformers import AutoConfig

    try:
        with quiet():
            config = AutoConfig.from_pretrained(where, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise unreadable(source, where, error) from None
    if where == source and not Path(where).exists() and getattr(config, "auto_map", None):
        config.auto_map = None
    return config


def unreadable(source: str, where: str, error: Exception) -> WarmstartError:
    """What to tell a user whose model cannot be opened."""
    reason = str(error).strip().split("\n")[0][:200]
    if Path(where).is_dir():
        missing = not (Path(where) / "config.json").is_file()
        wrong = f"{source}: no config.json in this folder" if missing else f"{source}/config.json: {reason}"
        do = (
            "give a folder written by save_pretrained: config.json, model.safetensors, tokenizer or processor"
        )
        return WarmstartError(wrong, do, "no-config" if missing else "bad-config")
    if os.environ.get("HF_HUB_OFFLINE") == "1" or "offline" in reason or "connect" in reason.lower():
        return WarmstartError(
            f"{source}: no such folder here, and the hub cannot be reached ({reason})",
            "check the spelling, unset HF_HUB_OFFLINE, or give a folder that holds the model",
            "offline",
        )
    return WarmstartError(
        f"{source}: {reason}", "check the spelling of the hub id or the path of the folder", "no-model"
    )


def refuse_pickle(where: str, source: str, allowed: bool) -> None:
    """Weights in a pickle can run code when they are opened; they need to be asked for."""
    folder = Path(where)
    if not folder.is_dir() or any(folder.glob("*.safetensors")):
        return
    pickles = sorted(p.name for e in ("*.bin", "*.pt", "*.pth", "*.pkl", "*.ckpt") for p in folder.glob(e))
    if pickles and not allowed:
        raise WarmstartError(
            f"{source}: the weights are a pickle ({pickles[0]}), which can run code when it is opened",
            "take a version in safetensors, or, if you trust it, pass --set allow_pickle=true",
            "pickle",
        )
    if not pickles:
        raise WarmstartError(
            f"{source}: no model.safetensors in this folder",
            "give a folder written by save_pretrained",
            "no-weights",
        )


def build(
    where: str, source: str, config: Any, modality: str, weights: bool, seed: int, allow_pickle: bool
) -> tuple[nn.Module, bool]:
    """The module in float32, and whether its head is fresh."""
    import transformers

    auto = getattr(transformers, AUTO[modality])
    with seeded(seed, "weights"), quiet():
        try:
            if not weights:
                return auto.from_config(config, dtype=torch.float32, trust_remote_code=False), True
            module, info = auto.from_pretrained(
                where,
                config=config,
                dtype=torch.float32,
                use_safetensors=None if allow_pickle else True,
                weights_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
        except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
            raise unfit(source, config, modality, error) from None
    return module, check_missing(source, module, set(info["missing_keys"]))


def unfit(source: str, config: Any, modality: str, error: Exception) -> WarmstartError:
    reason = str(error).strip().split("\n")[0][:200]
    kind = getattr(config, "model_type", "?")
    return WarmstartError(
        f"{source}: a {kind} model cannot be loaded for {modality} classification ({reason})",
        "choose a model that transformers offers for this task",
        "unfit-model",
    )


def check_missing(source: str, module: Any, missing: set[str]) -> bool:
    """Is the head fresh? A body with missing weights is refused: it would be half random."""
    body = f"{module.base_model_prefix}."
    lost = sorted(n for n in missing if n.startswith(body) and "pooler" not in n)
    total = sum(1 for n, _ in module.named_parameters() if n.startswith(body))
    if lost:
        raise WarmstartError(
            f"{source}: {len(lost)} of {total} tensors of the body are not in the file, first {lost[0]}",
            "the folder's config and weights do not belong together; take the model anew",
            "missing-weights",
        )
    return any(not n.startswith(body) for n in missing)


def read_processor(where: str, source: str, modality: str) -> Any:
    import transformers

    try:
        with quiet():
            return getattr(transformers, PROCESSOR[modality]).from_pretrained(where, trust_remote_code=False)
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        what, file = NEEDED[modality]
        reason = str(error).strip().split("\n")[0][:160]
        raise WarmstartError(
            f"{source}: its {what} cannot be loaded ({reason})",
            f"add the {what}'s files to the folder, {file} first",
            "no-processor",
        ) from None


@contextmanager
def seeded(seed: int, *names: str | int) -> Iterator[None]:
    """Initialisation reads torch's global generator; it is set for the while and given back as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(stream(seed, *names))
        yield


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars or load reports of the library among our own lines."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(50)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
