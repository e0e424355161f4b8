"""A planted storm through the conversation itself, without Slack and without waiting."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from benchmarks.storm import Answer, pairs
from benchmarks.storms.planting import World, storm
from benchmarks.storms.wording import FORMATS, worded
from bot.config import load
from bot.kinship import known_subjects
from handlers.alerts import FORMATS as READERS
from handlers.alerts import Known
from handlers.conversation import Conversation
from handlers.desk import Desks
from handlers.intake import take_in
from handlers.owing import Habits
from state.store import Store
from tests.handlers.test_uniting import AT, TREE, Places


def test_a_storm_becomes_one_incident_per_cause_and_no_alert_is_lost(tmp_path):
    """Whichever vendor tells of an alert, in whatever order they come."""
    rng = random.Random(110)
    world = World.drawn(rng)
    told = storm(world, rng, 600, 60.0, AT)
    tokens = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    subjects, kin, _ = known_subjects(load(world.write(tmp_path), tokens))
    now = AT + timedelta(minutes=2)
    talk = Conversation(
        store=Store(tmp_path / "state.db"),
        tree=TREE,
        clock=lambda: now,
        habits=Habits(lambda _: "C1"),
        known=subjects,
        directory=Places(),
        renderer=lambda incident, place: [],
        kin=kin,
    )
    answers, keys, vendors = [], [], {}
    for one in told:
        vendor = vendors.setdefault(one.rule, rng.choice(FORMATS))
        taken = READERS[vendor](worded(one, vendor, rng), Known(subjects, now))
        take_in(Desks.one(talk), taken)
        if one.firing:
            answers.append(Answer(one, "", 0.0))
            keys.append(taken.alerts[0].key)
    incidents = talk.store.open_incidents()
    homes = {s.key: i.id for i in incidents for s in i.signals}
    placed = [replace(a, incident=homes[key]) for a, key in zip(answers, keys, strict=True)]
    right, together, meant = pairs(placed)
    assert 2 * right / (together + meant) >= 0.97
    assert abs(len(incidents) - 50) <= 2
    assert sum(i.joined for i in incidents) == 600
    talk.store.close()
