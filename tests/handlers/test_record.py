"""The record: told from the store alone, in every format."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from PIL import Image

from analysis.evidence import Scope, Table
from handlers.record.document import Grid, Heading, Picture
from handlers.record.files import FORMATS
from handlers.record.html import html
from handlers.record.markdown import markdown
from handlers.record.material import material
from handlers.record.pdf import _widths
from handlers.record.plain import plain
from handlers.record.post_mortem import post_mortem
from handlers.record.timeline import timeline
from state import effects as fx
from state import events as ev
from state.as_text import from_json
from state.incident import Call, Incident
from state.machine import advance
from state.results import Results
from state.said import Said, Sayings
from state.signals import first_heard
from state.store import Store
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
        assert not [e for e in effects if isinstance(e, fx.Refuse)], event
        store.save(incident, after, event)
    for found in toy.WALK:
        for chart in found.charts:
            Results(store).keep_chart(replace(chart, png=picture()))
    ts = str(toy.at(5).timestamp())
    Sayings(store).remember(
        "HE-12", Said("C1", ts, "U0BO", "we saw *the same* on 3 March", "", True)
    )
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


def test_of_many_looks_that_could_tell_nothing_the_first_and_the_last_are_told(tmp_path):
    """A recovery that is watched for hours does not fill the timeline."""
    store = Store(tmp_path / "s.db")
    incident = toy.mitigated(toy.walked(6))
    store.save(None, incident, OPENED)
    for minute in range(30, 40):
        again = ev.Rechecked(toy.at(minute), 7)
        looked = ev.Checked(toy.at(minute), 7, toy.WATCHING)
        for event in (again, looked):
            before, incident = incident, toy.after(incident, event)
            store.save(before, incident, event)
    before, event = incident, ev.Checked(toy.at(40), 7, toy.BACK)
    again = toy.after(before, ev.Rechecked(toy.at(40), 7))
    store.save(before, again, ev.Rechecked(toy.at(40), 7))
    store.save(again, toy.after(again, event), event)
    lines = timeline(material(store, "HE-12", toy.TREE))
    told = [(line.at, line.what) for line in lines if "Step 7" in line.what]
    assert [at for at, _ in told] == [toy.at(30), toy.at(39), toy.at(40)]
    assert "Back in its band" in told[-1][1]


def test_the_record_tells_which_alerts_came_and_went_and_who_was_called(tmp_path):
    """And what a person said that it is about."""
    store = Store(tmp_path / "s.db")
    incident = replace(toy.opened(), signals=(first_heard(toy.ALERT, toy.at(0)),))
    store.save(None, incident, OPENED)
    other = replace(first_heard(toy.ALERT, toy.at(1)), key="other")
    call = Call(toy.at(2), 0, ("U0BO",))
    for event in (
        ev.Called(toy.at(2), call),
        ev.Absorbed(toy.at(3), "HE-11", 1, (other,)),
        ev.Parted(toy.at(4), ("other",), "HE-13"),
        ev.Merged(toy.at(5), "HE-14"),
    ):
        before, incident = incident, toy.after(incident, event)
        store.save(before, incident, event)
    found = material(store, "HE-12", toy.TREE, lambda user: NAMES.get(user, user))
    told = [line.what for line in timeline(found)]
    assert "Called: Bo" in told
    assert "Took in 1 alert of HE-11: due to this cause" in told
    assert "Moved 1 alert to HE-13: due to its cause" in told
    assert "Found to be part of HE-14, which goes on for both" in told


def test_a_table_breaks_no_word_while_there_is_room():
    """Names and moments stay whole, whatever stands beside them."""
    rows = [("when (UTC)", "who", "what"), ("2013-07-07 20:00", "U0QS2GYXRKW", "word " * 90)]
    when, who, what = widths = _widths(rows, 499.0)
    assert sum(widths) == pytest.approx(499.0)
    assert 85 < when < 120
    assert 65 < who < 100
    assert what > 290
    assert sum(_widths([("a",) * 30], 499.0)) == pytest.approx(499.0)
    assert sum(_widths([("x" * 500, "y")], 499.0)) == pytest.approx(499.0)


@pytest.mark.browser
def test_the_web_page_reads_on_a_phone_without_scrolling_sideways(kept, chromium, tmp_path):
    """Rows are stacked, each cell with its column's name; on a desktop they are tables."""
    from playwright.sync_api import sync_playwright

    path = tmp_path / "record.html"
    text = html(post_mortem(kept))
    link = f"<td>Thread</td><td>https://team.slack.com/archives/{'C07' * 20}</td>"
    assert "</tr>" in text
    path.write_text(text.replace("</tr>", f"</tr><tr>{link}</tr>", 1), encoding="utf-8")
    wide = "[...document.querySelectorAll('*')].filter(e => e.scrollWidth > innerWidth).length"
    row = "getComputedStyle(document.querySelector('.titled tr:nth-child(2)')).display"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for width, shown in ((390, "block"), (1280, "table-row")):
            page = browser.new_page(viewport={"width": width, "height": 800})
            page.goto(path.as_uri())
            assert page.evaluate(wide) == 0
            assert page.evaluate(row) == shown
        browser.close()


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


def test_a_plugins_ragged_table_is_one_in_every_format():
    """Rows may be longer or shorter than the head."""
    found = Grid.of(Table(("a", "b"), (("1",), ("1", "2", "3"))))
    assert found == Grid(("a", "b", ""), (("1", "", ""), ("1", "2", "3")))


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
