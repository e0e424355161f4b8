"""One registry of commands for slash commands and mentions: text in, a reply out.

``/hawkeye triage precision`` and ``@hawkeye triage precision`` are the same request. A typo gets
the nearest command, with an example and one button that runs what was meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from html import unescape
from typing import Generic, Literal, TypeVar

import structlog

from handlers.blocks import Block, actions, button, clip, code, escape, section

Via = Literal["slash", "mention"]
Words = tuple[str, ...]
C = TypeVar("C")

RUN = "run"
"""Verb of the buttons that run a command; their value is read by :func:`run_text`."""

_log = structlog.get_logger(__name__)
_QUOTES = {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'"}
_TOKEN = re.compile(
    r"""<[@#!][^<>]*>|<https?://[^<>]*>|"[^"]*"|(?<!\S)'[^']*'(?!\S)|`[^`]+`|[^\s"`]+|["`]"""
)
_INCIDENT = re.compile(r"#?he-?0*([1-9]\d{0,8})", re.IGNORECASE)
_USER = re.compile(r"<@([UW][A-Z0-9]+)(?:\|([^>]*))?>")
_CHANNEL = re.compile(r"<#([CG][A-Z0-9]+)(?:\|([^>]*))?>")


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
    ``run`` takes the words after the name; it may raise :class:`Unclear`. ``needs_incident``: it
    is said in an incident's thread or names one. ``free_text``: what follows is somebody's own
    words, of which only the first can name the incident.
    """

    name: str
    usage: str
    summary: str
    example: str
    run: Callable[[Request, Words, C], Reply]
    where: frozenset[Via] = frozenset({"slash", "mention"})
    needs_incident: bool = False
    aliases: tuple[str, ...] = ()
    free_text: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called by."""
        return (self.name, *self.aliases)


@dataclass(frozen=True)
class Around:
    """What dispatching asks of its surroundings.

    ``guess`` says what an unknown word may mean. An incident that a person may not see
    (``may_see(incident, user)``) does not exist for them. ``near`` are the open incidents of the
    channel where something was asked: the only one is meant when none is named.
    """

    guess: Callable[[Request, Words], Unclear | None] = lambda _, __: None
    may_see: Callable[[str, str], bool] = lambda _, __: True
    near: Callable[[Request], Sequence[str]] = lambda _: ()


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

    Nothing said runs ``help``. An error inside a command is logged and told to the one who
    asked, because nobody else would hear of it.
    """
    around = around or Around()
    said = words(request.text)
    if said and said[0].lower().lstrip("/@") == "hawkeye":
        said = said[1:]
    command, rest = named(said or ("help",), commands)
    try:
        if command is None:
            raise around.guess(request, said) or _unknown(said, request, commands)
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
    there = " ".join(w for w in command.example.split() if not named_incident((w,)))
    asked = " ".join(map(quoted, rest))
    raise Unclear(
        f"Which incident? In its thread `@hawkeye {there}` is enough; elsewhere name it: "
        f"`{request.called} {command.name} HE-1{there.removeprefix(command.name)}`.",
        *((f"{i}: {command.name}", f"{command.name} {i} {asked}".strip()) for i in near[-4:]),
        ("Open incidents", "incidents open"),
    )


def _unknown(said: Words, request: Request, commands: Sequence[Command[C]]) -> Unclear:
    word = said[0]
    known = {name: c for c in commands for name in c.names}
    pair = " ".join(said[:2]).lower()
    found = get_close_matches(word.lower(), list(known), n=1, cutoff=0.55)
    both = get_close_matches(pair, [n for n in known if " " in n], n=1, cutoff=0.7)
    if both:
        word, found, said = pair, both, said[1:]
    if not found:
        names = ", ".join(f"`{c.name}`" for c in commands)
        return Unclear(f"I know no {bare(word)}. I know {names}.", ("Help", "help"))
    meant = known[found[0]]
    fixed = " ".join((meant.name, *map(quoted, said[1:])))
    return Unclear(
        f"I know no {bare(word)}. `{meant.name}`? For example `{request.called} {meant.example}`.",
        (fixed, fixed),
    )


# -- reading --------------------------------------------------------------------------------------


def words(text: str) -> Words:
    """The words of what somebody typed; quoted ones and Slack's ``<…>`` tokens stay whole.

    Tolerant: curly quotes count as quotes, an unclosed quote as nothing, punctuation at the
    end of a word is dropped, Slack's ``&amp; &lt; &gt;`` are read back.
    """
    for curly, straight in _QUOTES.items():
        text = text.replace(curly, straight)
    found = (_word(token) for token in _TOKEN.findall(text.replace("\u00a0", " ")))
    return tuple(word for word in found if word)


def _word(token: str) -> str:
    if token.startswith("<") and token.endswith(">"):
        return token
    if len(token) > 1 and token[0] == token[-1] and token[0] in "\"'`":
        return unescape(token[1:-1]).strip()
    return unescape(token.strip('"`*').rstrip(".,;!?"))


def addressed(text: str, bot: str) -> str:
    """What is said to the bot in a message that mentions it: what follows the first mention,
    or what stands before it when nothing follows."""
    before, _, after = re.sub(rf"<@{re.escape(bot)}(?:\|[^>]*)?>", "\0", text).partition("\0")
    said = after.replace("\0", " ").strip(" ,:\n")
    return said or before.strip(" ,:\n")


def user_in(word: str) -> str | None:
    """The user's id in ``<@U123>`` or ``<@U123|name>``."""
    match = _USER.fullmatch(word)
    return match[1] if match else None


def channel_in(word: str) -> str | None:
    """The channel's id in ``<#C123>`` or ``<#C123|name>``."""
    match = _CHANNEL.fullmatch(word)
    return match[1] if match else None


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


def named_incident(said: Words) -> str | None:
    """The first incident that is named, as the store has it: "he3" is "HE-3"."""
    found = next((m for word in said if (m := _INCIDENT.fullmatch(word))), None)
    return f"HE-{found[1]}" if found else None


def quoted(word: str) -> str:
    """A word as it must be typed: in quotes when it has a space."""
    return f'"{word}"' if re.search(r"\s", word) and not word.startswith("<") else word


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
