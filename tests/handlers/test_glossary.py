"""Terms of the field are explained where they are first met."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.evidence import Evidence, Table
from analysis.performance.readings import label
from handlers import modals
from handlers.messages.glossary import explained, meanings
from state import events as ev
from tests.handlers.looks import thread, words
from tests.handlers.toy import REAL, TREE, after, at, opened

ENTROPY = "NE (normalised entropy) is how far"


def checked(headline: str):
    """The thread at its first step, which was told so."""
    return after(opened(), ev.Checked(at(1), 1, replace(REAL, headline=headline)))


def test_a_step_explains_the_terms_that_it_is_told_with():
    """In a line of plain words, and again behind "How?"."""
    incident = checked("The model: NE 0.52 → 1.05.")
    assert ENTROPY in words(thread(incident)["step-1"])
    assert ENTROPY in str(modals.how(incident, 1, TREE))
    plain = checked("It fell by NEARLY 3 points.")
    assert "plain words" not in words(thread(plain)["step-1"])


def test_a_value_that_is_called_like_a_term_is_none():
    """A state of the Union is no entropy."""
    assert meanings(Evidence("segment", 0.9, "Traffic moved in state=NE.")) == []


def test_a_term_is_explained_once():
    """Who reads on has met it."""
    first = Evidence("real", 0.9, "NE rose.")
    later = Evidence("model", 0.9, "NE rose in one.", table=Table(("AUC",), (("0.7",),)))
    assert len(meanings(later)) == 2
    [line] = explained(later, [first])
    assert "AUC" in str(line)
    assert ENTROPY not in str(line)
    assert explained(first, [later]) == []


@pytest.mark.parametrize("kind", ["normalised_entropy", "auc", "mae", "rmse", "ndcg", "log_loss"])
def test_every_kind_of_figure_is_explained_by_the_name_it_is_told_with(kind):
    """A new kind without words would be met unexplained."""
    assert meanings(Evidence("real", 0.9, f"{label(kind)} 0.1 → 0.2"))
