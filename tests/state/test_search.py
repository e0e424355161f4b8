"""Full-text search over the record of every incident."""

from __future__ import annotations

import pytest

from state import events as ev
from state.incident import Incident
from state.machine import advance
from state.said import Said, Sayings
from state.search import BEGIN, END, search
from state.store import Store
from tests.handlers import toy


@pytest.fixture
def store(tmp_path):
    """Two incidents: one walked to its features, one only opened."""
    store = Store(tmp_path / "s.db")
    opened = ev.Opened(toy.at(0), "real", toy.SCOPE)
    for number in (1, 2):
        after, _ = advance(Incident(f"HE-{number}", toy.ALERT, toy.START, 2), opened, toy.TREE)
        store.save(None, after, opened)
    tell(store, "HE-1", ev.Checked(toy.at(1), 1, toy.REAL.without_bytes()))
    return store


def tell(store, name, event):
    """One event in."""
    before = store.load(name)
    after, _ = advance(before, event, toy.TREE)
    store.save(before, after, event)


def found(store, query):
    """Names of the incidents found."""
    return [hit.incident.id for hit in search(store, query)]


def test_findings_notes_and_what_people_said_are_found(store):
    """As soon as they are there, by the beginning of a word and in any case."""
    assert found(store, "left its BAND") == ["HE-1"]
    assert found(store, "weather") == []
    tell(store, "HE-2", ev.Noted(toy.at(3), "U1", "the weather feed was deployed"))
    assert found(store, "weath deploy") == ["HE-2"]
    Sayings(store).remember("HE-1", Said("C1", "1.1", "U1", "we saw this in Zürich", ""))
    assert found(store, "zürich") == ["HE-1"]
    Sayings(store).remember("HE-1", Said("C1", "1.1", "U1", "we saw this in Bern, I mean", ""))
    assert found(store, "zürich") == []
    assert found(store, "bern") == ["HE-1"]


def test_every_word_has_to_be_there(store):
    """More words find less."""
    assert sorted(found(store, "precision")) == ["HE-1", "HE-2"]
    assert found(store, "precision band") == ["HE-1"]


@pytest.mark.parametrize("query", ['"', "a OR", "(", "*", "", "NEAR(", "text:x", "-", "'; DROP"])
def test_what_is_typed_is_never_read_as_a_query_language(store, query):
    """Quotes, brackets and operators are words or nothing."""
    assert isinstance(search(store, query), list)


def test_the_excerpt_shows_the_place(store):
    """With marks around the hit."""
    [hit] = search(store, "band")
    assert f"{BEGIN}band{END}" in hit.excerpt
