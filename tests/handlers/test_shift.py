"""The end of a shift: the digest, and everything handed over in one go."""

from __future__ import annotations

import pytest

from handlers import commands
from handlers.messages.summary import summarise, summary_blocks
from handlers.registry import Request, run_text
from state import events as ev
from state.store import Store
from tests.handlers.fake_desk import NOW, FakeDesk
from tests.handlers.test_summary import spoken
from tests.handlers.toy import TREE, walked

ANA, BO = "U01", "U02"


@pytest.fixture
def desk(tmp_path):
    """Two incidents of Ana's, one of Bo's."""
    found = FakeDesk(Store(tmp_path / "state.db"))
    for subject in ("precision", "late arrival rate", "delay"):
        ask(found, f'triage "{subject}"')
    for number, (owner, severity) in enumerate(((ANA, 3), (ANA, 1), (BO, 2)), 1):
        found.tell(f"HE-{number}", ev.Taken(NOW, owner, owner))
        found.tell(f"HE-{number}", ev.SeveritySet(NOW, owner, severity))
    yield found
    found.store.close()


def ask(desk, text, user=ANA):
    """What the bot answers."""
    return commands.ask(Request(text, user, "C1", via="slash"), desk)


def shown(reply) -> str:
    """All that a reply shows."""
    return str(reply.blocks)


def test_the_digest_has_every_open_incident_of_a_person_with_its_next_thing_and_link(desk):
    """The worst first; nobody else's."""
    text = shown(ask(desk, "digest"))
    assert text.index("HE-2") < text.index("HE-1")
    assert "HE-3" not in text
    assert text.count("*Next:*") == 2
    assert text.count("https://acme.slack.com") == 2
    assert "handoff all @bo" in text
    assert "HE-3" in shown(ask(desk, f"digest <@{BO}>"))
    assert "no open incident" in ask(desk, "digest", user="U09").text


def test_all_is_handed_over_in_one_go_and_taken_with_one_button(desk):
    """One message to Bo with both; one button of it accepts both."""
    told = ask(desk, f"handoff all <@{BO}|bo>").text
    assert "2 open incidents offered to" in told
    [(to, message)] = desk.written
    assert to == BO
    assert "HE-1" in str(message)
    assert "HE-2" in str(message)
    [button] = message["blocks"][-1]["elements"]
    assert "taken over 2" in ask(desk, run_text(button["value"]), user=BO).text
    assert {i.owner for i in desk.store.open_incidents()} == {BO}
    assert "Nothing is offered" in ask(desk, "accept all", user=BO).text


def test_what_is_offered_already_is_said_and_not_offered_again(desk):
    """The rest goes over."""
    ask(desk, "handoff HE-1 <@U03>")
    told = ask(desk, f"handoff all <@{BO}>").text
    assert "1 open incident offered" in told
    assert "a message about it. It stays yours" in told
    assert "HE-1" in told
    assert "already offered to <@U03>" in told


def test_the_digest_tells_how_to_hand_over_what_is_not_offered_yet(desk):
    """Only that: anything else would be refused."""
    assert "To hand them over" in shown(ask(desk, "digest"))
    ask(desk, "handoff HE-1 <@U03>")
    assert "To hand the rest over" in shown(ask(desk, "digest"))
    ask(desk, "handoff HE-2 <@U03>")
    assert "handoff all" not in shown(ask(desk, "digest"))


@pytest.mark.parametrize("text", ["handoff all", f"handoff all <@{ANA}>"])
def test_a_handover_of_all_needs_somebody_else(desk, text):
    """And says how it is said."""
    assert "To whom?" in ask(desk, text).text
    assert desk.written == []


def test_a_handover_of_all_to_a_channel_that_is_not_there_offers_nothing(desk):
    """A name that Slack did not link is a typo or out of sight; it is not passed over."""
    assert "which channel `#daat`" in ask(desk, f"handoff all <@{BO}> #daat").text
    assert desk.written == []


def test_a_summary_is_read_in_a_minute_and_begins_with_what_to_do():
    """238 words a minute are an adult's reading speed (Brysbaert 2019)."""
    said = spoken(*[f"is temp {n} % off, or did weather_hourly change?" for n in range(20)])
    blocks = summary_blocks(summarise(walked(6, last_answered=False), TREE, said))
    text = "\n".join(block["text"]["text"] for block in blocks)
    assert text.startswith("*Next:*")
    assert len(text.split()) <= 238
