"""What else it could be: the walk goes back to where it was least sure."""

from __future__ import annotations

import pytest

from analysis.budget import Excess, OverBudget
from analysis.evidence import Evidence, Scope, Suspect
from bot.detours import Candidate, candidates
from bot.headless import Check
from bot.plugins import tree
from bot.report import Report, report
from tests.bot.test_headless import walked

ANSWERS = {
    "real": Evidence("real", 0.99, "It is."),
    "cause": Evidence(
        "world", 0.6, "The world.", shares={"world": 0.6, "infrastructure": 0.38, "model": 0.02}
    ),
    "segments": Evidence("world", 0.9, "The world."),
    "infra": Evidence("service", 0.9, "store.", (Suspect("infra", "store", 0.9),)),
    "features": Evidence("inputs", 0.9, "temp.", (Suspect("feature", "temp", 0.9),)),
}


def check(node: str, scope: Scope) -> Evidence:
    """The world, or a service: a close call."""
    return ANSWERS[node]


def kinds(found: tuple[Candidate, ...]) -> list[tuple[str, list[str]]]:
    """Kind and names of candidates."""
    return [(c.kind, [s.name for s in c.suspects]) for c in found]


def test_the_branch_that_was_nearly_taken_is_walked_to_its_end() -> None:
    """Its name is known then; all candidates together are no surer than 1."""
    end = walked(check)
    found = candidates(end, tree(), check)
    assert kinds(found) == [("world", []), ("infra", ["store"])]
    assert found[0].confidence == pytest.approx(0.54)
    assert 0.3 < found[1].confidence < 0.46
    Report.model_validate(report(end, found))


def test_whoever_was_asked_at_every_step_waits_for_no_detour() -> None:
    """They can go back themselves."""
    assert kinds(candidates(walked(check), tree(), None)) == [("world", [])]


def test_a_detour_that_would_read_too_much_is_left_out() -> None:
    """The walk has its conclusion."""
    end = walked(check)

    def dear(node: str, scope: Scope) -> Evidence:
        raise OverBudget(Excess("bytes", 2.0, 1.0))

    assert kinds(candidates(end, tree(), dear)) == [("world", [])]


def upstream(node: str, scope: Scope) -> Evidence:
    """A walk to one node of two that it may be."""
    if node == "upstream":
        named = (Suspect("upstream", "hourly", 0.7), Suspect("upstream", "feed", 0.2))
        return Evidence("upstream", 0.7, "hourly.", named, proposed=1)
    verdicts = {"real": "real", "cause": "model", "models": "degraded", "snapshot": "not_snapshot"}
    return ANSWERS["features"] if node == "features" else Evidence(verdicts[node], 1.0, "So.")


def test_what_the_last_step_names_next_is_a_candidate() -> None:
    """It takes no second walk."""
    steps: list[str] = []

    def counted(node: str, scope: Scope) -> Evidence:
        steps.append(node)
        return upstream(node, scope)

    checked: Check = counted
    found = candidates(walked(upstream), tree(), checked)
    assert kinds(found)[:2] == [("upstream", ["hourly"]), ("upstream", ["feed"])]
    assert "upstream" not in steps


def dropped(node: str, scope: Scope) -> Evidence:
    """Features that were followed, and above which nothing broke."""
    if node == "upstream":
        return Evidence("nothing", 0.7, "Nothing broke.", (Suspect("upstream", "feed", 0.2),))
    return upstream(node, scope)


def test_suspects_that_were_let_go_of_are_candidates_where_nothing_is_named() -> None:
    """The features that step 5 named, and the node that came nearest."""
    found = candidates(walked(dropped), tree(), None)
    assert kinds(found)[0] == ("unknown", [])
    assert {kind for kind, _ in kinds(found)[1:]} == {"feature", "upstream"}
    assert ("upstream", ["feed"]) in kinds(found)
