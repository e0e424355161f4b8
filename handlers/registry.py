"""One registry of commands for slash commands and mentions: text in, a reply out.

``/hawkeye triage precision`` and ``@hawkeye triage precision`` are the same request. A typo gets
the nearest command, with an example and one button that runs what was meant.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Generic, Literal, TypeVar

import structlog

from handlers import courtesy
from handlers.blocks import Block, actions, button, clip, code, escape, section
from handlers.typed import Words, channel_in, named_incident, quoted, user_in, words

Via = Literal["slash", "mention"]
C = TypeVar("C")

RUN = "run"
"""Verb of the buttons that run a command; their value is read by :func:`run_text`."""
NEAR = 0.7
"""A word at least this alike (:class:`SequenceMatcher`) to a command's name may be a typo of it."""
SAMPLES: Mapping[str, str] = {"metric": "precision", "feature": "temp", "dimension": "carrier"}
"""The names in examples where no others are at hand."""

_log = structlog.get_logger(__name__)
_ASKING = frozenset(
    {"how", "what", "who", "when", "where", "which", "that", "this", "these", "not"}
)
"""Words of a question: near to a name in letters alone."""


@dataclass(frozen=True)
class Request:
    """What somebody asked, wherever they asked it.

    ``incident`` is the one whose thread it was said in. ``thread_ts`` is "" outside threads.
    """

    text: str
    user: str
    channel: str
    thread_ts: str = ""
    incident: str | None = None
    via: Via = "slash"
    trigger_id: str = ""
    response_url: str = ""

    @property
    def called(self) -> str:
        """How the bot is called where this was asked."""
        return "/hawkeye" if self.via == "slash" else "@hawkeye"


@dataclass(frozen=True)
class Reply:
    """An answer for the one who asked, or for the channel. ``text`` reads well alone."""

    text: str
    blocks: tuple[Block, ...] | None = None
    in_channel: bool = False


@dataclass(frozen=True)
class Command(Generic[C]):
    """One thing that can be asked for.

    ``usage`` begins with the name, which may be of several words; ``aliases`` mean the same.
    ``pattern`` is an example in which ``{metric}`` and its like (:data:`SAMPLES`) stand for names.
    ``run`` takes the words after the name; it may raise :class:`Unclear`. ``needs_incident``: it
    is said in an incident's thread or names one. ``free_text``: what follows is somebody's own
    words, of which only the first can name the incident.
    """

    name: str
    usage: str
    summary: str
    pattern: str
    run: Callable[[Request, Words, C], Reply]
    where: frozenset[Via] = frozenset({"slash", "mention"})
    needs_incident: bool = False
    aliases: tuple[str, ...] = ()
    free_text: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called by."""
        return (self.name, *self.aliases)

    def example(self, names: Mapping[str, str] = SAMPLES) -> str:
        """Something that can be typed, with names that its reader knows."""
        return self.pattern.format_map({**SAMPLES, **names})


@dataclass(frozen=True)
class Around:
    """What dispatching asks of its surroundings.

    ``guess`` says what an unknown word may mean. An incident that a person may not see
    (``may_see(incident, user)``) does not exist for them. ``near`` are the open incidents of the
    channel where something was asked: the only one is meant when none is named. ``names`` are
    those of the installation, for examples.
    """

    guess: Callable[[Request, Words], Unclear | None] = lambda _, __: None
    may_see: Callable[[str, str], bool] = lambda _, __: True
    near: Callable[[Request], Sequence[str]] = lambda _: ()
    names: Mapping[str, str] = field(default_factory=dict)


class Unclear(Exception):
    """A request can't be carried out as it stands.

    ``sentence`` says why and what to do; ``buttons`` are (label, command) pairs that run what
    may have been meant, or ready-made elements.
    """

    def __init__(self, sentence: str, *buttons: tuple[str, str] | Block) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.buttons = buttons


def dispatch(
    request: Request, commands: Sequence[Command[C]], context: C, around: Around | None = None
) -> Reply:
    """Find the command that is meant and run it; every mistake becomes a sentence.

    Nothing said runs ``help``; small talk is answered in kind. An error inside a command is
    logged and told to the one who asked, because nobody else would hear of it.
    """
    around = around or Around()
    said = words(request.text)
    if said and said[0].lower().lstrip("/@") == "hawkeye":
        said = said[1:]
    wanted = courtesy.without(said)
    command, rest = named(wanted or ("help",), commands)
    meant = bool(wanted) and (command or nearly(wanted, commands)[0]) is not None
    if not meant and (told := courtesy.answer(said, request.called)):
        return reply(told)
    try:
        if command is None:
            raise around.guess(request, wanted) or _unknown(wanted, request, commands, around)
        request, rest = _placed(request, command, rest, around)
        return command.run(request, rest, context)
    except Unclear as unclear:
        return reply(unclear.sentence, *unclear.buttons)
    except Exception as error:
        name = command.name if command else "guess"
        _log.exception("command failed", command=name, via=request.via)
        what = f"{type(error).__name__}: {error}".strip(": ")
        return reply(
            f"`{name}` failed and did nothing more: {escape(what)[:500]}. The log has the rest.",
            ("Try again", " ".join(said)),
        )


def named(said: Words, commands: Sequence[Command[C]]) -> tuple[Command[C] | None, Words]:
    """The command that the first words name, the longest name first, and the words after it."""
    low = tuple(word.lower() for word in said)
    calls = [(tuple(name.split()), c) for c in commands for name in c.names]
    for call, command in sorted(calls, key=lambda pair: -len(pair[0])):
        if low[: len(call)] == call:
            return command, said[len(call) :]
    return None, said


def _placed(
    request: Request, command: Command[C], rest: Words, around: Around
) -> tuple[Request, Words]:
    """The request with its incident, where the command needs one; the id is no longer a word."""
    if request.via not in command.where:
        other = "/hawkeye" if request.via == "mention" else "@hawkeye"
        raise Unclear(f"`{command.name}` is said as `{other} {command.usage}`.")
    found = named_incident(rest[:1] if command.free_text else rest)
    if found and not around.may_see(found, request.user):
        raise Unclear(f"I know no {bare(found)}.", ("Open incidents", "incidents open"))
    if not command.needs_incident:
        return request, rest
    if found:
        at = next(i for i, w in enumerate(rest) if named_incident((w,)) == found)
        left = (*rest[:at], *rest[at + 1 :])
        return replace(request, incident=found), left
    return (request, rest) if request.incident else (_nearest(request, command, rest, around), rest)


def _nearest(request: Request, command: Command[C], rest: Words, around: Around) -> Request:
    """The request about the one open incident of its channel; Unclear when there are more."""
    near = [i for i in around.near(request) if around.may_see(i, request.user)]
    if len(near) == 1:
        return replace(request, incident=near[0])
    example = command.example(around.names)
    there = escape(" ".join(w for w in example.split() if not named_incident((w,))))
    asked = " ".join(map(quoted, rest))
    raise Unclear(
        f"Which incident? In its thread `@hawkeye {there}` is enough; elsewhere name it: "
        f"`{request.called} {command.name} HE-1{there.removeprefix(command.name)}`.",
        *((f"{i}: {command.name}", f"{command.name} {i} {asked}".strip()) for i in near[-4:]),
        ("Open incidents", "incidents open"),
    )


def _unknown(
    said: Words, request: Request, commands: Sequence[Command[C]], around: Around
) -> Unclear:
    """The nearest command behind a button, where one is near; else the way to all of them."""
    meant, rest = nearly(said, commands)
    if meant is None:
        return Unclear(
            f"I know no {bare(said[0])}. `{request.called} help` lists what I know.",
            ("Help", "help"),
        )
    fixed = " ".join((meant.name, *map(quoted, rest)))
    example = escape(meant.example(around.names))
    return Unclear(
        f"I know no {bare(said[0])}. `{meant.name}`? For example `{request.called} {example}`.",
        (fixed, fixed),
    )


def nearly(said: Words, commands: Sequence[Command[C]]) -> tuple[Command[C] | None, Words]:
    """The command whose name the first words look most like, or begin, and the words after it;
    None where none is near."""
    best: tuple[float, Command[C] | None, Words] = (0.0, None, said)
    for command in commands:
        for name in command.names:
            size = len(name.split())
            typed = " ".join(said[:size]).lower()
            score = SequenceMatcher(None, typed, name).ratio()
            if size == 1 and len(typed) > 2 and name.startswith(typed):
                score = max(score, 0.9)
            if len(said) >= size and typed not in _ASKING and score > max(best[0], NEAR):
                best = (score, command, said[size:])
    return best[1:]


def channel_of(said: Words) -> str:
    """The id of the channel that is named; "" without one.

    Raises Unclear for a name that Slack did not make a link of: there is no such channel, or it is
    a private one that cannot be seen from there.
    """
    found = next((c for w in said if (c := channel_in(w))), "")
    loose = next((w for w in said if w.startswith("#") and not named_incident((w,))), "")
    if loose and not found:
        raise Unclear(f"I can't tell which channel {bare(loose)} is: pick it from Slack's list.")
    return found


# -- writing --------------------------------------------------------------------------------------


def bare(word: str) -> str:
    """A word that somebody typed, as code; a mention by its name."""
    if user_in(word) or channel_in(word):
        word = word.partition("|")[2].rstrip(">") or user_in(word) or channel_in(word) or word
    return code(word)


def run_button(label: str, text: str, index: int = 0) -> Block:
    """A button that runs the command ``text`` for whoever presses it."""
    value = json.dumps({"t": text[:900]}, ensure_ascii=False, separators=(",", ":"))
    return button(label, f"{RUN}:{index}", value)


def run_text(value: str) -> str:
    """The command that a ``run`` button stands for; "" when the value is not one of ours."""
    try:
        found = json.loads(value)
    except ValueError:
        return ""
    text = found.get("t") if isinstance(found, dict) else None
    return text if isinstance(text, str) else ""


def reply(text: str, *buttons: tuple[str, str] | Block, in_channel: bool = False) -> Reply:
    """A reply of mrkdwn (split where a section would be too long) and, below it, buttons:
    (label, command) pairs, or elements that are ready."""
    elements = [
        run_button(*item, index=index) if isinstance(item, tuple) else item
        for index, item in enumerate(buttons[:5])
    ]
    blocks = [*(section(part) for part in _parts(text)), *actions(*elements)]
    return Reply(clip(text, 3000), tuple(blocks), in_channel)


def _parts(text: str, most: int = 2900) -> list[str]:
    """The text in pieces of whole lines; a code block that is cut is closed and opened again."""
    parts, lines, length, code_open = [], list[str](), 0, False
    for line in text.split("\n"):
        line = clip(line, most - 10)
        if lines and length + len(line) + 1 > most - 8:
            parts.append("\n".join([*lines, "```"] if code_open else lines))
            lines, length = (["```"], 4) if code_open else ([], 0)
        lines.append(line)
        length += len(line) + 1
        code_open ^= line.count("```") % 2 == 1
    return [*parts, "\n".join(lines)]
