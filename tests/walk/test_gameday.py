"""A practice ends with a debrief in its thread."""

from types import SimpleNamespace

from bot.demo.gameday import drawn, watch
from bot.demo.scenarios import scenarios
from tests.walk.stage import staged
from tests.walk.test_walk import walk_to_the_cause


def practice(stage, kind, *names):
    """What the debrief needs of a running practice."""
    truth = SimpleNamespace(kind=kind, names=names)
    return SimpleNamespace(
        name="corrupted_labels", world=SimpleNamespace(truth=truth), bot=stage.bot
    )


def test_the_debrief_is_posted_when_the_incident_is_closed(tmp_path):
    """Nothing is told before; then what was planted, and that it was found."""
    with staged(tmp_path) as stage:
        incident = stage.fire()
        assert watch(practice(stage, "training_data"), incident, lambda: True) == ""
        walk_to_the_cause(stage, incident)
        thread = stage.ts(incident, "root")
        before = str(stage.workspace.channel(stage.channel).messages)
        assert "labels that were overwritten" not in before
        stage.press(incident, "root", "dismiss")
        assert stage.until(lambda: not stage.incident(incident).is_open)
        assert "you found it" in watch(practice(stage, "training_data"), incident, lambda: True)

        def debriefed():
            messages = stage.workspace.channel(stage.channel).messages.values()
            return any("labels that were overwritten" in str(m.blocks) for m in messages)

        assert stage.until(debriefed)
        assert thread


def test_a_seed_draws_a_scenario_without_telling_it():
    """All of them can be drawn."""
    names = {s.name for s in scenarios()}
    assert {drawn(seed) for seed in range(200)} == names
    assert drawn(7) == drawn(7)
