"""A conversation as the model's chat template writes it down, and where in that text an assistant speaks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from warmstart.base.errors import WarmstartError
from warmstart.models.load import Pretrained

Messages = Sequence[Mapping[str, str]]
ASSISTANT = "assistant"


@dataclass(frozen=True)
class Rendered:
    """A text, and the stretches of it (from, to) whose words are to be learned."""

    text: str
    spans: tuple[tuple[int, int], ...]


def rendered(pretrained: Pretrained, messages: Messages, number: int, answers_only: bool) -> Rendered:
    """One conversation; `number` names it where something is wrong with it."""
    check_messages(messages, number)
    check_tokenizer(pretrained)
    text = write(pretrained, messages, number)
    if not answers_only:
        return Rendered(text, ((0, len(text)),))
    spans = tuple(
        span_of(pretrained, messages, place, text, number)
        for place, message in enumerate(messages)
        if message["role"] == ASSISTANT
    )
    return Rendered(text, spans)


def span_of(
    pretrained: Pretrained, messages: Messages, place: int, text: str, number: int
) -> tuple[int, int]:
    """From behind what invites the answer to behind the mark that ends it."""
    after = write(pretrained, messages[: place + 1], number)
    before = invitation(pretrained, messages, place, after, number)
    if not (text.startswith(before) and text.startswith(after) and len(before) <= len(after)):
        raise WarmstartError(
            f"{pretrained.source}: its chat template writes message {place + 1} of conversation {number + 1} "
            "differently once others follow, so that answers cannot be told from the rest",
            "set a template that only adds, or learn from all words (answers_only=False)",
            "chat-template",
        )
    return len(before), len(before) + len(ended(after[len(before) :], messages[place]["content"]))


def invitation(pretrained: Pretrained, messages: Messages, place: int, after: str, number: int) -> str:
    """What stands before an answer; where it opens the conversation, all before its first word."""
    if place:
        return write(pretrained, messages[:place], number, invite=True)
    return after[: max(0, after.find(messages[0]["content"].strip()))]


def ended(answer: str, content: str) -> str:
    """The answer with the mark of its end; spaces behind a mark belong to what follows."""
    stripped = answer.rstrip()
    return answer if stripped.endswith(content.rstrip()) else stripped


def write(pretrained: Pretrained, messages: Messages, number: int, invite: bool = False) -> str:
    try:
        text: str = pretrained.processor.apply_chat_template(
            [dict(message) for message in messages], tokenize=False, add_generation_prompt=invite
        )
    except Exception as error:  # templates refuse by raising whatever they like: roles, order, content
        reason = str(error).strip().split("\n")[0][:160]
        raise WarmstartError(
            f"{pretrained.source}: its chat template does not take conversation {number + 1} ({reason})",
            "change that conversation, or the template",
            "chat-template",
        ) from None
    return text


def check_messages(messages: Any, number: int) -> None:
    good = isinstance(messages, Sequence) and not isinstance(messages, str) and len(messages) > 0
    if good and all(
        isinstance(m, Mapping) and isinstance(m.get("role"), str) and isinstance(m.get("content"), str)
        for m in messages
    ):
        return
    raise WarmstartError(
        f"conversation {number + 1}: {str(messages)[:80]}",
        'write it as [{"role": "user", "content": "..."}, {"role": "assistant", "content": "..."}]',
        "bad-conversation",
    )


def check_tokenizer(pretrained: Pretrained) -> None:
    tokenizer = pretrained.processor
    if not getattr(tokenizer, "chat_template", None):
        raise WarmstartError(
            f"{pretrained.source}: its tokenizer has no chat template",
            "choose a model that was made for conversations, or set tokenizer.chat_template",
            "no-chat-template",
        )
    if not tokenizer.is_fast:
        raise WarmstartError(
            f"{pretrained.source}: its tokenizer cannot say where in a text its tokens stand",
            "choose a model with a tokenizer.json",
            "slow-tokenizer",
        )
