"""plan.yaml: a Plan as a file that a person reads, argues with, edits and runs.

Reasons stand as comments above the values that they explain: a Reason whose rule opens with the name of a
field ("phases: ...") above that field, any other above the strategy. Comments are for people; reading
brings back every value exactly, and no reasons.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from warmstart.base.errors import WarmstartError, did_you_mean
from warmstart.base.files import write_text
from warmstart.base.tables import known_keys, to_table
from warmstart.base.types import Option, Phase, Plan, Reason
from warmstart.decide.plan_check import dotted, plan_of, shown
from warmstart.decide.safe_yaml import MOST_BYTES, check_size, dump, parse

HEADER = """\
# A plan: what will be done, and why. Every value may be edited; then run it:
#   warmstart tune plan.yaml
# The same change on the command line:  --set phases.0.lr=1e-4
"""
LEGEND = {
    "phases": "one after the other. learn: layer groups by name, '*' all, 'top:3' the head and the three "
    "below it; lr: of the topmost group; decay: its factor per group towards the input; warmup: share of "
    "steps; schedule: linear, cosine or constant; solver: adamw, or logistic (a linear head, exactly); "
    "leave: share of the loss that the regression leaves to the body, 0 is as little as validation bears; "
    "head_lr: of the head, 0 is as the topmost group",
    "guards": "what watches over the training, for the rivals too",
    "pretrained": "false: the model's shape with fresh weights",
    "batch": "rows per step of the optimiser",
    "micro_batch": "rows at a time; 0 is the whole batch",
    "clip": "largest norm of the gradient",
    "norm_statistics": "of batch norm: frozen or learn",
    "precision": "of products: fp32, bf16, or auto, which measures; weights stay in fp32",
}
WIDTH = 100


def write_plan(plan: Plan, options: Sequence[Option], path: Path) -> None:
    """Write `plan` to `path`, whole or not at all, with reasons and considered options as comments."""
    table = to_table(plan)
    table.pop("reasons")
    write_text(path, "".join([HEADER, *(block(key, table[key], plan, options) for key in table)]))


def block(key: str, value: Any, plan: Plan, options: Sequence[Option]) -> str:
    """One field of the plan with what is said of it above, or behind it where there is room."""
    above = [line for r in plan.reasons if about(r) == key for line in why(r)]
    above += considered(options) if key == "strategy" else []
    text, legend = dump({key: value}), LEGEND.get(key, "")
    if legend and text.count("\n") == 1:
        text = f"{text.rstrip()}  # {legend}\n"
    elif legend:
        above += comment(legend)
    gap = "\n" if above or isinstance(value, list) else ""
    return gap + "".join(above) + text


def about(reason: Reason) -> str:
    """The field that a reason explains: the one its rule opens with, else the strategy."""
    opening = reason.rule.split(":")[0]
    return opening if opening in known_keys(Plan) else "strategy"


def why(reason: Reason) -> list[str]:
    rule = reason.rule.removeprefix(f"{about(reason)}: ")
    return [*comment(rule), *comment(reason.saw, "    "), *comment(reason.so, "    ", "-> ")]


def considered(options: Sequence[Option]) -> list[str]:
    """The options, best first, with how well they suit."""
    lines = [line for o in options for line in comment(f"{o.suits:.2f} {o.strategy}: {o.reason.so}", "    ")]
    return (
        [*comment("considered, with the chance of each to be among the best, or how well it suits"), *lines]
        if options
        else []
    )


def comment(text: str, indent: str = "", mark: str = "") -> list[str]:
    """A paragraph as comment lines; nothing in `text` can end the comment."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    first, rest = f"# {indent}{mark}", f"# {indent}  {' ' * len(mark)}"
    return [f"{line}\n" for line in textwrap.wrap(plain, WIDTH, initial_indent=first, subsequent_indent=rest)]


def read_plan(path: Path) -> Plan:
    """Read a plan file; what is wrong in it is a WarmstartError with file and line."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        check_size(len(content), path.name)
        text = content.decode("utf-8-sig")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        do = "give the path of a plan.yaml; `warmstart plan DATA` writes one"
        raise WarmstartError(f"{path}: {reason}", do, "no-file") from None
    except UnicodeDecodeError:
        raise WarmstartError(f"{path} is not UTF-8 text", "save it as UTF-8", "bad-encoding") from None
    table, lines = parse(text, path.name)
    return plan_of(table, path.name, lines)


def apply_settings(plan: Plan, settings: Sequence[str]) -> Plan:
    """The plan with settings such as "phases.0.lr=1e-4" or "batch=8" put in, one after the other.

    A setting is a dotted path and a YAML value. Each leaves a Reason that says so.
    """
    for setting in settings:
        plan = apply_setting(plan, setting)
    return plan


def apply_setting(plan: Plan, setting: str) -> Plan:
    where = f"--set {setting}"
    name, sign, text = setting.partition("=")
    if not sign or not name.strip():
        raise WarmstartError(
            f"{where} has no {'value' if name else 'name'}", "write for example --set batch=8"
        )
    path = name.strip().split(".")
    value, _ = parse(text, where)
    table = to_table(plan)
    table.pop("reasons")
    before = put(table, path, value, where)
    why = Reason(f"{path[0]}: set by hand", f"{name.strip()} was {shown(before)}", f"it is {shown(value)}")
    return replace(plan_of(table, where), reasons=(*plan.reasons, why))


def put(table: Any, path: Sequence[str], value: Any, where: str, done: tuple[str, ...] = ("plan",)) -> Any:
    """Put `value` at `path` into nested tables and lists; returns what was there before."""
    word, *rest = path
    key = key_in(table, word, done, where)
    before = table[key] if isinstance(table, list) else table.get(key)
    if rest:
        return put(before, rest, value, where, (*done, word))
    table[key] = value
    return before


def key_in(table: Any, word: str, done: tuple[str, ...], where: str) -> Any:
    """The key or index that `word` is in `table`, which stands at the path `done`."""
    if isinstance(table, list):
        return index_in(table, word, done, where)
    if not isinstance(table, dict):
        wrong = f"{where}: {dotted(done)} is {shown(table)}, which has no setting {word!r}"
        raise WarmstartError(wrong, f"set {dotted(done[1:])} itself", "unknown-key")
    known = known_in(done)
    if known and word not in known:
        wrong = f"{where}: {dotted(done)} has no setting {word!r}"
        raise WarmstartError(wrong, did_you_mean(word, known), "unknown-key")
    return word


def known_in(done: tuple[str, ...]) -> set[str]:
    """Names that can be set there; none for edits and guards, whose settings need not be spelled out."""
    if done == ("plan",):
        return {*known_keys(Plan)} - {"reasons"}
    return {*known_keys(Phase)} if done[1] == "phases" else set()


def index_in(items: list[Any], word: str, done: tuple[str, ...], where: str) -> int:
    if word.isdecimal() and int(word) < len(items):
        return int(word)
    name = dotted(done[1:])
    do = f"write {name}.0 to {name}.{len(items) - 1}" if items else f"fill it whole: --set {name}=[...]"
    raise WarmstartError(f"{where}: {name} has {len(items)} entries and no {word!r}", do, "unknown-key")
