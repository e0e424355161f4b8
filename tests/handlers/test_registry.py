"""One registry for slash commands and mentions."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers import blockkit
from handlers.registry import (
    Around,
    Command,
    Reply,
    Request,
    Unclear,
    dispatch,
    reply,
    run_text,
)
from handlers.typed import addressed, channel_in, named_incident, user_in, words


def _echo(request, said, context):
    return reply(f"{context}|{request.incident}|{'|'.join(said)}")


def _breaks(_request, _said, _context):
    raise ValueError("no <disk> left")


def _asks_back(_request, _said, _context):
    raise Unclear("Which one?", ("This one", "triage this"))


COMMANDS = (
    Command("triage", "triage <name>", "Look.", "triage {metric} since 14:05", _echo),
    Command("handoff", "handoff @user", "Offer.", "handoff HE-1 @bo", _echo, needs_incident=True),
    Command("help", "help", "List.", "help", _echo),
    Command("break", "break", "Fail.", "break", _breaks),
    Command("ask", "ask", "Ask back.", "ask", _asks_back),
    Command("here", "here", "Only in threads.", "here", _echo, where=frozenset({"mention"})),
)
ASKED = Request("", user="U1", channel="C1")


def ask(text: str, **changes: object) -> Reply:
    """The reply to a text, checked against Slack's limits."""
    found = dispatch(replace(ASKED, text=text, **changes), COMMANDS, "context")
    assert blockkit.problems(list(found.blocks or [])) == []
    assert found.text
    return found


def buttons(found: Reply) -> dict[str, str]:
    """Label to command of the buttons below a reply."""
    elements = [e for b in found.blocks or () if b["type"] == "actions" for e in b["elements"]]
    return {e["text"]["text"]: run_text(e["value"]) for e in elements}


@pytest.mark.parametrize("via", ["slash", "mention"])
def test_slash_and_mention_run_the_same_command(via):
    """There is one registry, and one way through it."""
    assert ask("triage a b", via=via).text == "context|None|a|b"


def test_a_command_is_found_whatever_its_case_and_with_the_bot_named_before_it():
    """People type as they type."""
    assert ask("Triage x").text == "context|None|x"
    assert ask("/hawkeye triage x", via="mention").text == "context|None|x"
    assert ask("triage, x.").text == "context|None|x"


def test_a_typo_gets_the_nearest_command_with_an_example_and_a_button_that_runs_it():
    """The button keeps what was typed after the typo, quotes included."""
    found = ask('trige "late arrivals" since 14:05')
    assert "`trige`" in found.text
    assert "/hawkeye triage precision since 14:05" in found.text
    fixed = 'triage "late arrivals" since 14:05'
    assert buttons(found) == {fixed: fixed}


@pytest.mark.parametrize("text", ["xyzzy", "what now", "how are you", "not sure", "the end"])
def test_a_word_like_no_command_is_shown_the_way_to_all_of_them(text):
    """A command is offered where it is near alone; letters of a question are near by chance."""
    found = ask(text)
    assert "`/hawkeye help`" in found.text
    assert buttons(found) == {"Help": "help"}


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("thanks!", "Glad"),
        ("Thank you so much", "Glad"),
        (":+1:", "All right"),
        ("👍", "All right"),
        ("ok", "All right"),
        ("hi", "Hello"),
        ("good morning", "Hello"),
        ("yes", "button"),
    ],
)
def test_small_talk_is_answered_in_kind_and_offers_no_command(text, answer):
    """A colleague who is thanked proposes no chart."""
    found = ask(text, via="mention")
    assert answer in found.text
    assert buttons(found) == {}


@pytest.mark.parametrize("before", ["please", "hi, could you please", "ok", "Thanks! Now"])
def test_courtesies_before_a_command_are_no_part_of_it(before):
    """People are polite to bots."""
    assert ask(f"{before} triage x").text == "context|None|x"


@pytest.mark.parametrize("before", ["hey", "thanks,"])
def test_a_mistyped_command_is_one_after_a_greeting_too(before):
    """What is meant comes before manners."""
    assert buttons(ask(f"{before} trige x")) == {"triage x": "triage x"}


def test_a_beginning_of_a_name_is_near():
    """Phones make typing short."""
    assert buttons(ask("hand <@U2>")) == {"handoff <@U2>": "handoff <@U2>"}


def test_examples_name_what_the_installation_has():
    """Not what another team watches."""
    around = Around(names={"metric": '"late arrivals"'})
    found = dispatch(replace(ASKED, text="trige"), COMMANDS, "context", around)
    assert '/hawkeye triage "late arrivals" since 14:05' in found.text


@pytest.mark.parametrize("text", ["", "   ", "hawkeye", "“”", "..."])
def test_nothing_said_is_a_call_for_help(text):
    """Nobody is met with silence."""
    assert ask(text).text == "context|None|"


def test_a_command_that_needs_an_incident_takes_it_from_its_thread_or_from_an_id():
    """The id is no word of the command any more."""
    assert ask("handoff <@U2>", incident="HE-4").text == "context|HE-4|<@U2>"
    assert ask("handoff he-7 <@U2>").text == "context|HE-7|<@U2>"
    assert ask("handoff <@U2> HE-7", incident="HE-4").text == "context|HE-7|<@U2>"


def test_without_an_incident_it_says_where_and_how_to_say_it():
    """Two ways: in the thread, or with an id."""
    found = ask("handoff <@U2>")
    assert "`@hawkeye handoff @bo`" in found.text
    assert "`/hawkeye handoff HE-1 @bo`" in found.text
    assert buttons(found) == {"Open incidents": "incidents open"}


def test_a_command_in_the_wrong_place_says_the_right_place():
    """Slash commands don't exist inside threads."""
    assert "`@hawkeye here`" in ask("here").text
    assert ask("here", via="mention").text == "context|None|"


def test_a_command_that_fails_says_so_to_the_one_who_asked():
    """Escaped, with a button to try again."""
    found = ask("break it")
    assert "no &lt;disk&gt; left" in found.text
    assert buttons(found) == {"Try again": "break it"}


def test_an_unclear_request_is_answered_with_a_sentence_and_what_may_be_meant():
    """One click each."""
    assert buttons(ask("ask")) == {"This one": "triage this"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("triage “late arrivals” since", ("triage", "late arrivals", "since")),
        ("triage 'late arrivals'", ("triage", "late arrivals")),
        ("don't panic", ("don't", "panic")),
        ('an "open quote', ("an", "open", "quote")),
        ("`temp` and *bold*", ("temp", "and", "bold")),
        ("a &amp; b &lt;c&gt;", ("a", "&", "b", "<c>")),
        ("<@U12|Bo Ek> in <#C3|data platform>", ("<@U12|Bo Ek>", "in", "<#C3|data platform>")),
        ("a\u00a0b\n c\t", ("a", "b", "c")),
        ("since 14:05?", ("since", "14:05")),
    ],
)
def test_words_are_read_tolerantly(text, expected):
    """Phones make quotes curly, Slack escapes, people forget to close."""
    assert words(text) == expected


def test_mentions_give_ids_and_nothing_else_does():
    """With a name or without."""
    assert user_in("<@U12|bo>") == user_in("<@U12>") == "U12"
    assert channel_in("<#C3|x>") == channel_in("<#C3>") == "C3"
    assert user_in("<#C3>") is user_in("@bo") is channel_in("#x") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<@B0T> triage x", "triage x"),
        ("hey <@B0T>, status", "status"),
        ("status <@B0T>", "status"),
        ("<@B0T> handoff <@U2>", "handoff <@U2>"),
        ("<@B0T>", ""),
    ],
)
def test_what_is_said_to_the_bot_is_what_follows_its_name(text, expected):
    """Or what stands before it."""
    assert addressed(text, "B0T") == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [("he-3", "HE-3"), ("#HE-3", "HE-3"), ("he3", "HE-3"), ("HE-03", "HE-3"), ("hello3", None)],
)
def test_an_incident_is_recognised_however_it_is_typed(said, expected):
    """The store knows one spelling."""
    assert named_incident((said,)) == expected


def test_a_long_reply_is_split_at_lines_and_keeps_code_blocks_whole():
    """A section holds 3,000 characters."""
    found = reply("```\n" + "\n".join(f"line {i} " + "x" * 90 for i in range(80)) + "\n```")
    sections = [b["text"]["text"] for b in found.blocks or ()]
    assert len(sections) > 2
    assert all(len(s) <= 3000 and s.count("```") == 2 for s in sections)
    assert "line 79" in sections[-1]
    assert blockkit.problems(list(found.blocks or [])) == []


@given(st.text(max_size=200))
def test_no_text_breaks_the_registry(text):
    """Every text gets a reply that Slack takes."""
    assert ask(text).text


@given(st.text(max_size=3000))
def test_a_button_brings_its_command_back(text):
    """Up to what fits into a button."""
    [(_, brought)] = buttons(reply("x", ("go", text))).items() or [("", "")]
    assert brought == text[:900]


@pytest.mark.parametrize("value", ["", "{", "[]", '{"t": 3}', "null"])
def test_a_foreign_value_is_no_command(value):
    """It reads as nothing said, which is a call for help."""
    assert run_text(value) == ""
