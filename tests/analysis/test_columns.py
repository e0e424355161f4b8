"""Columns that do not hold what their role needs are refused once, with an example."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.cause import which_class
from analysis.classes import one_against_rest
from analysis.columns import example
from analysis.evidence import CannotExamine
from analysis.features import which_features
from analysis.inside import look_inside
from analysis.models import which_models
from analysis.topline import is_it_real
from tests.analysis.logs import log, metric, scope, since_onset, warehouse


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("0,31", ' such as "0,31" (a decimal comma?)'),
        ("1.200,5", ' such as "1.200,5" (a decimal comma?)'),
        ("0.31", ' such as "0.31" (a number kept as text?)'),
        ("31 %", ' such as "31 %" (a percent sign?)'),
        ("cat, dog", ' such as "cat, dog"'),
        ("x" * 60, f' such as "{"x" * 39}…"'),
        ("", ""),
    ],
)
def test_a_text_column_is_told_by_a_value_and_a_guess(value: str, words: str) -> None:
    """The guess is about numbers that were written for people."""
    import ibis

    assert example(ibis.memtable(pd.DataFrame({"p": ["", value]})), "p") == words


def test_text_predictions_are_refused_with_what_was_found(tmp_path) -> None:
    """By the first check that reads them, not by a traceback in a later one."""
    frame = log(days=3, per_hour=5)
    frame["prediction"] = frame["prediction"].map(lambda p: f"{p:.3f}".replace(".", ","))
    with pytest.raises(CannotExamine, match=r"prediction = 'prediction'.*\(a decimal comma\?\)"):
        warehouse(tmp_path, frame).span()


def test_text_labels_of_a_binary_model_are_refused(tmp_path) -> None:
    """A yes is no number."""
    frame = log(days=3, per_hour=5)
    frame["label"] = frame["label"].map({0.0: "no", 1.0: "yes"})
    with pytest.raises(CannotExamine, match="label = 'label' holds text such as"):
        warehouse(tmp_path, frame).predictions()


@pytest.mark.parametrize("form", ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M:%S"])
def test_times_that_leave_day_and_month_open_are_refused_in_a_sentence(tmp_path, form) -> None:
    """Not in the engine's own words; neither is guessed."""
    frame = log(days=3, per_hour=5)
    frame["time"] = frame["time"].dt.strftime(form)
    with pytest.raises(CannotExamine, match="time = 'time' holds text such as") as told:
        warehouse(tmp_path, frame).span()
    assert "(the day first, or the month?); expected are timestamps" in str(told.value)


def test_times_as_text_with_the_year_first_are_read(tmp_path) -> None:
    """Slashes or not."""
    frame = log(days=3, per_hour=5)
    frame["time"] = frame["time"].dt.floor("s")
    whole = warehouse(tmp_path, frame).span()
    frame["time"] = frame["time"].dt.strftime("%Y/%m/%d %H:%M:%S")
    assert warehouse(tmp_path, frame).span() == whole


def test_hidden_values_are_not_shown_in_a_refusal(tmp_path) -> None:
    """Not even as the example of what is wrong."""
    made = warehouse(tmp_path, log(days=3, per_hour=5).assign(prediction="secret"))
    hidden = made.contract.predictions.model_copy(update={"hidden": ("prediction",)})
    made.contract = made.contract.model_copy(update={"predictions": hidden})
    with pytest.raises(CannotExamine) as told:
        made.predictions()
    assert "secret" not in str(told.value)


def _classes(numbers: bool) -> pd.DataFrame:
    """A model of three classes that follows ``f``, half of which is lost from the onset on."""
    frame = log()
    lost = since_onset(frame) & (frame.index % 2 == 0)
    frame["f"] = frame["f"].where(~lost)
    right = frame["label"] == 1
    names = {0: 7, 1: 3, 2: 5} if numbers else {0: "cat", 1: "dog", 2: "bird"}
    served = np.select([frame["f"] > -0.5, frame["f"] > -2.0], [0, 1], 2)
    frame["prediction"] = pd.Series(served).map(names)
    frame["label"] = frame["prediction"].where(right | ~lost, names[0])
    return frame


@pytest.mark.parametrize("numbers", [False, True])
def test_classes_are_judged_by_accuracy_and_explained_one_against_the_rest(
    tmp_path, numbers
) -> None:
    """Named or numbered: a number of a class is no size."""
    models = [{"name": "ranker", "task": "multiclass"}]
    made = warehouse(tmp_path, _classes(numbers), metric("accuracy"), models=models)
    assert is_it_real(made, scope("accuracy")).verdict == "real"
    assert which_class(made, scope("accuracy")).verdict == "model"
    assert which_models(made, scope("accuracy")).named[0].name == "ranker"
    found = which_features(made, scope("accuracy"))
    assert (found.verdict, [s.name for s in found.named]) == ("inputs", ["f"])
    assert any("read as the class" in note for note in found.how.notes)


def test_of_a_model_that_falls_back_to_one_class_that_class_is_told(tmp_path) -> None:
    """A third of the answers since the onset, whatever is asked."""
    frame = log()
    names = pd.Series(np.select([frame["f"] > 0.5, frame["f"] > -1.0], ["cat", "dog"], "bird"))
    back = since_onset(frame) & (frame.index % 3 == 0)
    frame["label"], frame["prediction"] = names, names.where(~back, "bird")
    models = [{"name": "ranker", "task": "multiclass"}]
    made = warehouse(tmp_path, frame, metric("accuracy"), models=models)
    features = which_features(made, scope("accuracy"))
    assert features.verdict == "model"
    assert "most of all the class bird" in features.headline
    now = (frame["prediction"] == "bird")[since_onset(frame)].mean()
    found = look_inside(made, scope("accuracy"))
    assert f"bird is the answer for {now:.0%} of rows instead of " in found.headline


def test_one_class_against_the_rest_is_the_class_whose_share_moved_most(tmp_path) -> None:
    """1 and 1.0 are one class; a hidden column's classes are not told."""
    models = [{"name": "ranker", "task": "multiclass"}]
    frame = _classes(numbers=True)
    made = warehouse(tmp_path, frame, metric("accuracy"), models=models)
    table, told = one_against_rest(made, made.predictions(), scope("accuracy"))
    share = frame.groupby(since_onset(frame))["prediction"].value_counts(normalize=True).unstack()
    assert float(told) == (share.loc[True] - share.loc[False]).abs().idxmax()
    rows = table.to_pandas()
    assert set(rows["_prediction"]) == {0.0, 1.0}
    assert rows["_prediction"].sum() == (frame["prediction"] == float(told)).sum()
    hidden = made.contract.predictions.model_copy(update={"hidden": ("prediction",)})
    made.contract = made.contract.model_copy(update={"predictions": hidden})
    assert one_against_rest(made, made.predictions(), scope("accuracy"))[1] == "(hidden)"


def test_predictions_that_are_yes_or_no_are_read_as_one_and_zero(tmp_path) -> None:
    """A log of decisions has no score."""
    frame = log(days=3, per_hour=5)
    frame["prediction"] = frame["prediction"] > 0.5
    table = warehouse(tmp_path, frame).predictions()
    assert set(table["_prediction"].to_pandas()) == {0.0, 1.0}
