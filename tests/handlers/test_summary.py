"""The summary of a hand-off: what matters, from the record and from the thread."""

from __future__ import annotations

from dataclasses import replace

from handlers.messages.summary import catch_up, pick, quote, summarise
from state import events as ev
from state.said import Said
from tests.handlers import looks
from tests.handlers.toy import HOURLY, SNAPSHOT, START, TREE, after, at, opened, walked


def spoken(*texts, user="U0CY"):
    """Messages of a thread, a minute apart."""
    first = START.timestamp()
    return [
        Said("C1", f"{first + 60 * n:.4f}", user, text, f"https://s.example/p{n}")
        for n, text in enumerate(texts)
    ]


def test_the_summary_follows_the_walk():
    """Known, ruled out, done, open, next."""
    found = summarise(walked(5, last_answered=False), TREE, [])
    known = "\n".join(found.known)
    assert "1 · Is it real? Yes. It left its band" in known
    assert "→ Model → `delay_gbm` → No snapshot (steps 1 to 4 by <@U0ANA>)" in known
    assert "traffic" in found.ruled_out
    assert found.done == ("4 answers, no mitigation yet",)
    assert any("visib drifted" in text for text in found.open)
    assert any("feature store latency" in text for text in found.open)
    assert found.next == ("Answer step 5: I propose `temp` and `dewp`",)


def test_the_cause_is_the_first_thing_known():
    """Once there is one."""
    found = summarise(walked(6), TREE, [])
    assert found.known[0].startswith("`weather_hourly`, upstream of")
    assert found.next[-1] == "Mitigate from the conclusion, or resolve"


def test_overrides_and_guesses_are_not_hidden():
    """The next person has to know where people and I disagreed."""
    incident = after(walked(2, last_answered=False), ev.Answered(at(5), 2, "model", "U0ANA"))
    unsure = replace(SNAPSHOT, confidence=0.4)
    incident = after(
        incident,
        ev.CheckFailed(at(6), 3, "no labels yet"),
        ev.Answered(at(7), 3, "degraded", "U0BO"),
        ev.Checked(at(8), 4, unsure),
    )
    found = summarise(incident, TREE, [])
    assert any("Only 40" in text for text in found.open)
    assert any("step 3: These, <@U0BO> (I could not look)" in text for text in found.done)


def test_a_planned_mitigation_is_the_next_thing_to_do():
    """It waits for somebody."""
    incident = after(
        walked(6),
        ev.MitigationAsked(at(20), "U0ANA", "rerun", HOURLY),
        ev.MitigationPlanned(at(20), 1, "Runs it."),
    )
    found = summarise(incident, TREE, [])
    assert found.next[0] == "Confirm or cancel “Rerun: `weather_hourly`”"
    assert "Rerun: `weather_hourly`, waits to be confirmed" in found.done
    titled = summarise(incident, TREE, [], {"rerun": "Run again"}.__getitem__)
    assert "Run again: `weather_hourly`, waits to be confirmed" in titled.done


def test_small_talk_is_left_out_and_what_matters_is_kept_in_order():
    """Questions, figures, links and suspects; at most three."""
    said = spoken(
        "thanks!",
        "on it",
        "we saw the same on 3 March",
        "ok",
        "why did weather_hourly finish green?",
        "lunch was good today",
        "dashboard: <https://d.example/x|here>",
        "temp is off, 56% of normal",
        "is dewp the same?",
        "I think the unit of temp changed at 14:00",
    )
    found = [s.text for s in pick(said, walked(5))]
    assert len(found) == 3
    assert not {"thanks!", "on it", "ok", "lunch was good today"} & set(found)
    assert "is dewp the same?" in found
    assert found == [s.text for s in said if s.text in found]


def test_a_pinned_message_always_matters():
    """Somebody said so."""
    [said] = spoken("ok")
    assert pick([replace(said, pinned=True)], opened()) == [replace(said, pinned=True)]
    assert pick([said], opened()) == []


def test_a_quote_names_author_time_and_place_and_calls_nobody():
    """<!channel> in an old message does not ring again."""
    link = "<https://d.example/?a=1&amp;b=2|board>"
    [said] = spoken(f"<!channel> a &lt; b? <!subteam^S1|@data> {link} <@U0ANA> <#C1|ml>")
    text = quote(said, START)
    assert text.startswith(f"“@channel a &lt; b? @data {link} <@U0ANA> <#C1>” (<@U0CY>, ")
    assert text.endswith("<https://s.example/p0|link>)")


def test_a_quote_survives_what_is_no_message_of_slack():
    """A broken time or link costs only the time or the link."""
    said = Said("C1", "not a time", "U0CY", "a < b > c", "javascript:x")
    assert quote(said, START) == "“a &lt; b &gt; c” (<@U0CY>)"


def test_catching_up_fits_a_minute():
    """Fewer than 250 words, with owner and severity."""
    incident = walked(6)
    payload = catch_up(incident, TREE, spoken("was it temp?", "see <https://d.example|d>"))
    text = " ".join(x["text"]["text"] for x in payload["blocks"])
    assert "severity 2, <@U0ANA> has it" in text
    assert len(text.split()) < 250
    assert payload["text"].startswith("Where we are:")


def test_a_new_incident_has_a_summary_too():
    """Even when nobody knows anything."""
    found = summarise(opened(), TREE, [])
    assert found.known == ("Only the alert itself so far.",)
    assert found.next[0].startswith("Wait for step 1")


def test_notes_stand_on_the_first_message_and_in_the_summary():
    """Whoever writes one sees it, and so does the next person."""
    incident = after(walked(2), ev.Noted(at(9), "U0ANA", "the fleet team released at noon"))
    (line,) = summarise(incident, TREE, []).noted
    assert line.startswith("the fleet team released at noon (<@U0ANA>, ")
    root = looks.thread(incident)["root"]
    assert any("Note: the fleet team released" in str(block) for block in root.payload["blocks"])
