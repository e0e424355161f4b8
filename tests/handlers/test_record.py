"""The record: told from the store alone, in every format."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image

from analysis.evidence import Scope
from handlers.record.document import Grid, Heading, Picture
from handlers.record.files import FORMATS
from handlers.record.html import html
from handlers.record.markdown import markdown
from handlers.record.material import material
from handlers.record.plain import plain
from handlers.record.post_mortem import post_mortem
from handlers.record.timeline import timeline
from state import events as ev
from state.incident import Incident
from state.machine import advance
from state.store import Said, Store, from_json
from tests.handlers import toy

NAMES = {"U0ANA": "Ana Ruiz", "U0BO": "Bo"}
OPENED = ev.Opened(toy.at(0), "real", toy.SCOPE)


def picture():
    """A real picture."""
    made = io.BytesIO()
    Image.new("RGB", (72, 40), "white").save(made, format="png")
    return made.getvalue()


def events():
    """A walk that was overridden once, noted, handed over, mitigated and resolved."""
    yield ev.Taken(toy.at(1), "U0ANA", "U0ANA")
    for number, found in enumerate(toy.WALK, 1):
        yield ev.Checked(toy.at(2 * number), number, found.without_bytes())
        chosen = "snapshot" if number == 4 else found.verdict
        if number == 4:
            yield ev.Noted(toy.at(8.5), "U0ANA", "deploy of <@U0BO> at 13:50 <b>", "", 4)
        suspects = (toy.MODEL,) if chosen != found.verdict else None
        yield ev.Answered(toy.at(2 * number + 1), number, chosen, "U0ANA", suspects)
        if chosen != found.verdict:
            break
    yield ev.HandoffOffered(toy.at(18), "U0ANA", "U0BO")
    yield ev.HandoffAnswered(toy.at(19), 1, "U0BO", True)
    yield ev.Closed(
        toy.at(40), "U0BO", "resolved", "Rolled back | by hand", follow_ups=("alarm on units",)
    )


@pytest.fixture
def kept(tmp_path):
    """The material of that incident, out of a store."""
    store = Store(tmp_path / "s.db")
    incident = Incident("HE-12", toy.ALERT, toy.START, 2)
    after, _ = advance(incident, OPENED, toy.TREE)
    store.save(None, after, OPENED)
    for event in events():
        incident = after
        after, effects = advance(incident, event, toy.TREE)
        assert not [e for e in effects if isinstance(e, ev.Refuse)], event
        store.save(incident, after, event)
    for found in toy.WALK:
        for chart in found.charts:
            store.keep_chart(replace(chart, png=picture()))
    ts = str(toy.at(5).timestamp())
    store.remember("HE-12", Said("C1", ts, "U0BO", "we saw *the same* on 3 March", "", True))
    return material(store, "HE-12", toy.TREE, lambda user: NAMES.get(user, user), "https://l.ink")


def test_the_timeline_has_everything_in_order_by_name(kept):
    """Events and what people said, each once; nobody is called by an id."""
    lines = timeline(kept)
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    told = "\n".join(f"{line.who}: {line.what}" for line in lines)
    for part in (
        "Ana Ruiz: Took it",
        "HawkEye: Step 1, Is it real: Yes. It left its band",
        "Ana Ruiz: Noted: deploy of Bo at 13:50",
        "Bo: 📌 “we saw the same on 3 March”",
        "against what was proposed",
        "Ana Ruiz: Offered it to Bo",
        "Bo: Accepted the hand-off",
        "Bo: Closed: resolved. Rolled back | by hand",
    ):
        assert part in told
    assert "U0ANA" not in told
    assert "“These" not in told


def test_the_post_mortem_shows_path_charts_and_overrides(kept):
    """A picture of the path, each step with its chart, and where a person knew better."""
    document = post_mortem(kept)
    titles = [b.text for b in document.blocks if isinstance(b, Heading)]
    assert {"Cause", "Timeline", "The path through the tree"} <= set(titles)
    assert {"Decided otherwise than proposed", "To be done"} <= set(titles)
    alts = [b.chart.alt for b in document.blocks if isinstance(b, Picture)]
    assert any(alt.startswith("The path of the walk: 1. Is it real?") for alt in alts)
    assert len(alts) == 5
    assert "U0" not in str([b for b in document.blocks if isinstance(b, Grid)])


def test_markdown_tables_survive_what_people_write(kept):
    """A bar in a text would end a cell."""
    text = markdown(post_mortem(kept), lambda chart: f"{chart.id[:8]}.png")
    rows = [line for line in text.splitlines() if line.startswith("| 20")]
    assert len(rows) == len(timeline(kept))
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {4}
    assert r"Rolled back \| by hand" in text


def test_html_is_one_file_without_scripts_and_escapes_what_people_write(kept):
    """It is opened from a download folder."""
    page = html(post_mortem(kept))
    assert "13:50 &lt;b&gt;" in page
    assert page.count('src="data:image/png;base64,') == 5
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_the_pdf_has_pages_and_its_words(kept):
    """Arrows and degrees need a font that has them."""
    [file] = FORMATS["pdf"](kept, "hawkeye.toml")
    assert file.name == "HE-12.pdf"
    assert file.data.startswith(b"%PDF-")
    assert b"DejaVuSans" in file.data


def test_the_notebook_asks_every_step_again_with_its_own_scope(kept):
    """The cells hold what the record holds, and are valid Python."""
    [file] = FORMATS["ipynb"](kept, "/team/hawkeye.toml")
    book = json.loads(file.data)
    assert (book["nbformat"], book["nbformat_minor"]) == (4, 5)
    code = [c["source"] for c in book["cells"] if c["cell_type"] == "code"]
    asked: list[tuple[str, Scope]] = []

    class Again:
        def __init__(self, settings):
            assert settings == "/team/hawkeye.toml"

        def step(self, node, scope):
            asked.append((node, from_json(Scope, scope)))

    space = {"Again": Again}
    for source in code:
        exec(source.replace("from bot.again import Again", ""), space)
    assert asked == [(s.node, s.scope) for s in kept.incident.live_steps]


def test_json_holds_every_event(kept):
    """What a program would rebuild the incident from."""
    [file] = FORMATS["json"](kept, "")
    found = json.loads(file.data)
    assert [e["type"] for e in found["events"]] == [type(e.event).__name__ for e in kept.entries]
    assert from_json(Incident, json.dumps(found["incident"])) == kept.incident


def test_mrkdwn_becomes_plain_text():
    """Names, times, links and marks; what only looks like a mark stays."""
    when = "<!date^1385213100^{time}|14:05 UTC>"
    text = f"*Real*, since {when}: `a_b` by <@U0BO>, see <https://x.y|the alert> &amp; 2 * 3 * 4"
    assert plain(text, lambda u: NAMES[u]) == (
        "Real, since 14:05 UTC: a_b by Bo, see the alert (https://x.y) & 2 * 3 * 4"
    )


def test_an_open_incident_has_a_record_too(tmp_path):
    """Somebody asks for it in the middle."""
    store = Store(tmp_path / "s.db")
    incident = Incident("HE-1", toy.ALERT, toy.START, 2)
    after, _ = advance(incident, OPENED, toy.TREE)
    store.save(None, after, OPENED)
    for make in FORMATS.values():
        assert make(material(store, "HE-1", toy.TREE), "hawkeye.toml")
    assert after.opened_at + timedelta(0) == toy.START
