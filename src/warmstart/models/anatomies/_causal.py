"""What causal language models share: masks, places that begin anew in each row, a norm, and either head.

A classification head reads the last token of each row. The output layer of a language model gives scores for
every word of the vocabulary at every place; where it is tied to the embeddings, they own its weights.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers.masking_utils import create_causal_mask, create_sliding_window_causal_mask

from warmstart.models.anatomy import OUTPUT, Group, State, base_of, pooled
from warmstart.models.rows import LAYOUT, layout_of

KEPT = ("input_ids", "attention_mask", LAYOUT)  # what groups hand on beside the hidden states


def carried(hidden: Tensor, state: State) -> State:
    """`hidden` with what tells rows, padding and the last real token."""
    return {"hidden": hidden, **{name: state[name] for name in KEPT if name in state}}


def places(state: State, hidden: Tensor) -> Tensor:
    """1 x L: the place of each token in its row."""
    layout = layout_of(state)
    return (
        torch.arange(hidden.shape[1], device=hidden.device)[None]
        if layout is None
        else layout.positions[None]
    )


def layers(model: Any, blocks: Any, rotary: Any, windows: list[int | None], norm: nn.Module) -> list[Group]:
    """One group a block; masks and rotations are made once a batch and travel on under names with "_".

    Read at is the mean of what the last norm makes of the tokens: they grow with depth, and a few are huge.
    """
    return [
        Group(f"layer.{i}", (block,), step(block, model.config, rotary, window), read=normed_mean(norm))
        for i, (block, window) in enumerate(zip(blocks, windows, strict=True))
    ]


def normed_mean(norm: nn.Module) -> Callable[[State], Tensor]:
    return lambda state: pooled({**state, "hidden": norm(state["hidden"])})


def step(block: Any, config: Any, rotary: Any, window: int | None) -> Callable[[State], State]:
    def run(state: State) -> State:
        state = with_mask(with_rotation(state, rotary), config, window)
        given = {} if rotary is None else {"position_embeddings": (state["_cos"], state["_sin"])}
        positions = places(state, state["hidden"])
        mask = state.get(mask_name(window))
        out = block(state["hidden"], attention_mask=mask, position_ids=positions, use_cache=False, **given)
        return {**state, "hidden": out[0] if isinstance(out, tuple) else out}

    return run


def with_rotation(state: State, rotary: Any) -> State:
    if rotary is None or "_cos" in state:
        return state
    cos, sin = rotary(state["hidden"], position_ids=places(state, state["hidden"]))
    return {**state, "_cos": cos, "_sin": sin}


def mask_name(window: int | None) -> str:
    return "_mask" if window is None else "_window"


def with_mask(state: State, config: Any, window: int | None) -> State:
    """The mask of padded rows as the model itself makes it; rows laid end to end need none."""
    name = mask_name(window)
    if LAYOUT in state or name in state or f"{name}_open" in state:
        return state
    make = create_causal_mask if window is None else create_sliding_window_causal_mask
    mask = make(
        config=config,
        inputs_embeds=state["hidden"],
        attention_mask=state["attention_mask"],
        past_key_values=None,
        position_ids=places(state, state["hidden"]),
    )
    return {**state, f"{name}_open": state["attention_mask"]} if mask is None else {**state, name: mask}


def top(model: Any, norm: nn.Module) -> list[Group]:
    """The last norm and the head: class scores of the last token, or scores of words for every token."""
    if hasattr(model, "score"):
        below = Group("norm", (norm,), last_normed(norm, model.config), read=last_read(model.config))
        return [below, Group("head", (model.score,), scored(model.score, model.config))]
    linear = model.get_output_embeddings()
    tied = linear.weight is base_of(model).get_input_embeddings().weight
    words = Group(OUTPUT, () if tied else (linear,), lambda s: {"logits": linear(s["hidden"])})
    return [Group("norm", (norm,), normed(norm)), words]


def normed(norm: nn.Module) -> Callable[[State], State]:
    return lambda state: carried(norm(state["hidden"]), state)


def last_normed(norm: nn.Module, config: Any) -> Callable[[State], State]:
    """All tokens of padded rows; of rows laid end to end what a classification head reads, their last."""

    def run(state: State) -> State:
        if LAYOUT not in state:
            return carried(norm(state["hidden"]), state)
        return {"pooled": norm(state["hidden"][0].index_select(0, last_tokens(state, config)))}

    return run


def last_read(config: Any) -> Callable[[State], Tensor]:
    """B x D: the last token of each row."""

    def read(state: State) -> Tensor:
        if "pooled" in state:
            return state["pooled"]
        last = last_tokens(state, config)
        return state["hidden"][torch.arange(len(last), device=last.device), last]

    return read


def scored(score: nn.Module, config: Any) -> Callable[[State], State]:
    """As transformers has it, all tokens of padded rows are scored, and the last one's scores are taken."""

    def run(state: State) -> State:
        if "pooled" in state:
            return {"logits": score(state["pooled"])}
        last = last_tokens(state, config)
        scores_BLC = score(state["hidden"])
        return {"logits": scores_BLC[torch.arange(len(last), device=last.device), last]}

    return run


def last_tokens(state: State, config: Any) -> Tensor:
    """B: the last token of each row that is not for padding; among all tokens where rows lie end to end."""
    layout, ids = layout_of(state), state["input_ids"]
    real = ids != config.get_text_config().pad_token_id
    if layout is None:
        real = real & state["attention_mask"].bool()
        last: Tensor = (torch.arange(ids.shape[1], device=ids.device) * real).argmax(-1)
        return last
    numbers = torch.arange(layout.real, device=ids.device) * real[0, : layout.real]
    last = layout.starts.scatter_reduce(0, layout.owners, numbers, "amax")
    return torch.maximum(last, layout.starts)
