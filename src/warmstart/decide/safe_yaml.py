"""YAML as data alone: no anchors, aliases or tags, small and shallow, and every value has its line."""

import re
from collections.abc import Iterable
from io import StringIO
from typing import Any

from warmstart.base.errors import WarmstartError

Path = tuple[str | int, ...]  # ("phases", 0, "lr")
Lines = dict[Path, int]  # where a value stands, counted from 1

MOST_BYTES = 100_000
MOST_DEPTH = 12
TAME = re.compile(r"\*|/?\w[\w ./:+-]*")  # words that need no quotes, or that the emitter quotes by itself


def parse(text: str, where: str) -> tuple[Any, Lines]:
    """The value that `text` holds (None if it is empty) and the line of every part of it.

    Raises WarmstartError, opened by `where`, for what is not plain data.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    check_size(len(text), where)
    try:
        # The pure reader, for it follows YAML 1.2 (1e-4 is a number, yes is a word) wherever it is installed.
        refuse_tricks(YAML(typ="safe", pure=True).scan(text), where)
        lines: Lines = {}
        note_lines(YAML(typ="safe", pure=True).compose(text), (), lines)
        return YAML(typ="safe", pure=True).load(text), lines
    except (YAMLError, ValueError) as error:  # ValueError: a date such as 2024-99-99
        raise unreadable(error, where) from None


def check_size(length: int, where: str) -> None:
    if length > MOST_BYTES:
        raise WarmstartError(
            f"{where} is longer than {MOST_BYTES:,} bytes",
            "a plan takes a few thousand; give the right file",
            "too-large",
        )


def refuse_tricks(tokens: Iterable[Any], where: str) -> None:
    """Refuse what makes YAML more than data, before anything is built from it."""
    from ruamel.yaml import tokens as kinds

    tricks = {
        kinds.AnchorToken: "an anchor (&)",
        kinds.AliasToken: "an alias (*)",
        kinds.TagToken: "a tag (!)",
    }
    opening = (
        kinds.BlockMappingStartToken,
        kinds.BlockSequenceStartToken,
        kinds.FlowMappingStartToken,
        kinds.FlowSequenceStartToken,
    )
    closing = (kinds.BlockEndToken, kinds.FlowMappingEndToken, kinds.FlowSequenceEndToken)
    depth = 0
    for token in tokens:
        depth += isinstance(token, opening) - isinstance(token, closing)
        line = token.start_mark.line + 1
        if type(token) in tricks:
            raise WarmstartError(
                f"{where}, line {line}: {tricks[type(token)]}",
                "write the value out, or put it in quotes if it is text",
                "yaml-trick",
            )
        if depth > MOST_DEPTH:
            raise WarmstartError(
                f"{where}, line {line}: nested more than {MOST_DEPTH} deep",
                "a plan needs 3 levels",
                "too-deep",
            )


def note_lines(node: Any, path: Path, lines: Lines) -> None:
    """Write down the line on which every value of the tree begins; a value of a table has its key's line."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if node is None:
        return
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, MappingNode):
        for key, value in node.value:
            lines[(*path, str(key.value))] = key.start_mark.line + 1
            note_lines(value, (*path, str(key.value)), lines)
    elif isinstance(node, SequenceNode):
        for number, value in enumerate(node.value):
            note_lines(value, (*path, number), lines)


def unreadable(error: Exception, where: str) -> WarmstartError:
    """What to tell a user whose YAML cannot be read, with the line where the reader can name it."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).strip().split("\n")[0]
    place = f"{where}, line {mark.line + 1}, column {mark.column + 1}" if mark else where
    return WarmstartError(
        f"{place}: {problem}", "check the indentation, colons and quotes there (YAML)", "bad-yaml"
    )


def dump(table: dict[str, Any]) -> str:
    """The YAML of a table; its innermost tables and lists take one line each."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = careful_writer()
    nested = any(isinstance(value, (list, dict)) for value in table.values())
    yaml.default_flow_style = None if nested else False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.width = 2**31  # folded lines are not always read back as they were
    text = StringIO()
    yaml.dump(table, text)
    return text.getvalue()


def careful_writer() -> Any:
    """What ruamel needs to be told so that every value is read back, here and elsewhere, as it was."""
    from ruamel.yaml.representer import SafeRepresenter

    class Writer(SafeRepresenter):
        pass

    def number(writer: Any, value: float) -> Any:
        text = repr(value)
        if "e" not in text or "." in text:
            return writer.represent_float(value)
        # Readers of YAML 1.1 take 2e-05 for a word, and 2.0e-05 for a number.
        return writer.represent_scalar("tag:yaml.org,2002:float", text.replace("e", ".0e"))

    def word(writer: Any, value: str) -> Any:
        # Left to itself, the emitter writes some words (?8-) and signs (next line) that it reads otherwise.
        style = None if TAME.fullmatch(value) else '"'
        return writer.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Writer.add_representer(float, number)
    Writer.add_representer(str, word)
    return Writer
