"""A model's configuration, read as data: numbers checked, names of code forgotten."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.models import limits
from warmstart.models.weight_files import safetensors_of, shapes_in

WHOLE = "give a folder written by save_pretrained: config.json, model.safetensors, tokenizer or processor"


def read_config(where: str, source: str) -> Any:
    """The configuration, without anything in it that could bring in code or an odd form of answer."""
    from transformers import AutoConfig, PretrainedConfig

    folder = Path(where)
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise WarmstartError(f"{source}: no config.json in this folder", WHOLE, "no-config")
    try:
        with quiet():
            table, _ = PretrainedConfig.get_config_dict(where)
            limits.check_numbers(table, source, most_layers(folder))
            config = AutoConfig.from_pretrained(where, trust_remote_code=False)
    except WarmstartError:
        raise
    except Exception as error:  # whatever the library makes of a broken configuration
        raise unreadable(source, folder, error) from None
    if "quantization_config" in table or (folder / "adapter_config.json").is_file():
        what = "weights are quantised" if "quantization_config" in table else "folder holds an adapter"
        raise WarmstartError(f"{source}: its {what}, not plain weights", "give the plain model", "not-plain")
    return harmless(config)


def most_layers(folder: Path) -> int:
    """Each layer has a tensor at least; where none can be counted, a number that no model reaches."""
    files = safetensors_of(folder) if folder.is_dir() else []
    tensors = sum(len(shapes_in(path)) for path in files)
    return min(limits.MOST_LAYERS, tensors or limits.MOST_LAYERS)


def harmless(config: Any) -> Any:
    """Names of code in a configuration are forgotten; answers have the form that everything here reads."""
    if hasattr(config, "auto_map"):
        del config.auto_map
    config.output_attentions = config.output_hidden_states = False
    config._attn_implementation = config._experts_implementation = None  # could name code on the hub
    config.return_dict = True
    return config


def unreadable(source: str, folder: Path, error: Exception) -> WarmstartError:
    """What to tell a user whose model cannot be opened."""
    reason = short(error)
    if folder.is_dir():
        return WarmstartError(f"{source}/config.json: {reason}", WHOLE, "bad-config")
    if os.environ.get("HF_HUB_OFFLINE") == "1" or any(w in reason.lower() for w in ("offline", "connect")):
        return WarmstartError(
            f"{source}: no such folder here, and the hub cannot be reached ({reason})",
            "check the spelling, unset HF_HUB_OFFLINE, or give a folder that holds the model",
            "offline",
        )
    return WarmstartError(
        f"{source}: {reason}", "check the spelling of the hub id or the path of the folder", "no-model"
    )


def short(error: Exception, most: int = 200) -> str:
    """The first line of an error, or its kind if it says nothing."""
    return str(error).strip().split("\n")[0][:most] or type(error).__name__


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, load reports or warnings of the library among our own lines."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(50)
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
