"""The settings: what is read, and what a person is told when something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.config import Settings, SettingsError, check, load, require_slack
from bot.config.document import START, TARGET, page
from bot.config.lines import line_of, lines_of
from bot.routing import Routing
from state.incident import Alert
from tests.conftest import SETTINGS

Write = Callable[..., Path]


def refused(path: Path) -> str:
    """What is told when the settings are not taken."""
    with pytest.raises(SettingsError) as caught:
        load(path, {})
    return str(caught.value)


def test_small_settings_are_enough(settings_file: Write) -> None:
    """Predictions and one metric; everything else has a default."""
    settings = load(settings_file(), {})
    assert settings.contract.predictions.prediction == "score"
    assert settings.contract.metric_names == ("precision",)
    assert (settings.slack.mode, settings.slack.channel) == ("socket", "#ml-oncall")
    assert (settings.walk.baseline_days, settings.walk.workers) == (28, 2)
    assert check(settings) == []


def test_paths_are_relative_to_the_file(settings_file: Write, tmp_path: Path) -> None:
    """Wherever the bot is started, its state and its database lie beside the settings."""
    more = '[data]\nurl = "duckdb://lake.duckdb?read_only=1"\n[state]\npath = "kept/here.db"'
    settings = load(settings_file(more=more), {})
    assert settings.root == tmp_path
    assert settings.state_path == tmp_path / "kept" / "here.db"
    assert settings.contract.url == f"duckdb://{tmp_path}/lake.duckdb?read_only=1"


@pytest.mark.parametrize("url", ["duckdb://", "duckdb://:memory:", "postgres://host/db"])
def test_other_addresses_stay_as_they_are(settings_file: Write, url: str) -> None:
    """Only a database file has a place relative to the settings."""
    assert load(settings_file(more=f'[data]\nurl = "{url}"'), {}).contract.url == url


def test_tokens_come_from_the_environment_and_are_never_shown(settings_file: Write) -> None:
    """The value is there for who asks for it, and in no text."""
    settings = load(settings_file(), {"SLACK_BOT_TOKEN": "xoxb-very-secret"})
    assert settings.secrets.slack_bot_token is not None
    assert settings.secrets.slack_bot_token.get_secret_value() == "xoxb-very-secret"
    assert "very-secret" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_a_token_in_the_file_is_refused_and_not_repeated(settings_file: Write) -> None:
    """The message says where it belongs, without showing it."""
    told = refused(settings_file(more='[slack]\nbot_token = "xoxb-very-secret"'))
    assert "SLACK_BOT_TOKEN" in told
    assert "very-secret" not in told


def test_missing_tokens_are_named_by_mode(settings_file: Write) -> None:
    """Socket Mode needs the app's token, HTTP the signing secret, both the bot's."""
    with pytest.raises(SettingsError) as caught:
        require_slack(load(settings_file(), {}))
    assert [p.where for p in caught.value.problems] == ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"]
    http = settings_file(more='[slack]\nmode = "http"')
    with pytest.raises(SettingsError, match="SLACK_SIGNING_SECRET"):
        require_slack(load(http, {"SLACK_BOT_TOKEN": "xoxb-1"}))
    both = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "s"}
    assert require_slack(load(http, both)) is None


def test_settings_do_not_change(settings_file: Write) -> None:
    """They are a value: frozen."""
    settings = load(settings_file(), {})
    with pytest.raises(ValueError, match="frozen"):
        settings.walk.workers = 3  # type: ignore[misc]


def test_a_typo_gets_line_key_and_nearest_key(settings_file: Write) -> None:
    """One mistake is one block, although a needed key is missing as well."""
    text = SETTINGS.replace("prediction = ", "predicton = ")
    assert refused(settings_file(text)) == (
        "hawkeye.toml, line 4: [tables.predictions] predicton\n"
        "  found:    a key that is not known\n"
        "  expected: one of source, time, prediction, model, snapshot, experiment, arm, label, "
        "label_time, weight, group, dimensions, features, hidden\n"
        "  did you mean `prediction`?"
    )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("[walks]\nx = 1", ["[walks]", "did you mean `walk`"]),
        (
            "[walk]\nworkers = 0",
            ["line 18: [walk] workers", "found:    0", "greater than or equal"],
        ),
        ("[walk]\nseconds = 'long'", ['found:    "long"', "expected: a number"]),
        ("[walk]\ngive_up_minutes = 5", ["give_up_minutes = 5", "recheck_minutes = 10"]),
        ("[slack]\nmode = 'sockets'", ["did you mean `socket`?", '"socket" or "http"']),
        ("[slack]\nchannel = 5", ["[slack] channel", "found:    5", "text in quotes"]),
        ("[monitors]\nmetrics = 'al'", ["[monitors] metrics", 'a list: ["…", "…"] or "all"']),
        ("[monitors]\nmetrics = ['presision']", ["[[metrics]]: precision", "mean `precision`"]),
        ("[monitors]\non = 'maybe'", ["[monitors] on", "true or false"]),
        ("[[metrics]]\nname = 'x'", ["[[metrics]] number 2", "either `kind`", "or `source`"]),
        ("[[metrics]]\nname = 'precision'\nkind = 'auc'", ["number 2: name", "number 1 has"]),
        ("[[models]]\nname = 'm'\ntask = 'binery'", ["[[models]] number 2: task", "`binary`"]),
        ("[[alerts.routes]]\nchannel = '#x'", ["[[alerts.routes]] number 1", "what no route"]),
        (
            "[[alerts.routes]]\nchannel = '#x'\nmodel = 'delays'",
            ["[[alerts.routes]] number 1: model", "did you mean `delay`?"],
        ),
        ("[[mitigations]]\nname = 'Undo'\nurl = 'ftp://x'", ["number 1: url", "https://"]),
        ("[[mitigations]]\nname = 'Undo'", ["number 1", "`url` for 'Undo'", "confirmed"]),
        ("[tables.runs]\nsource = 'r'\nschema = 5", ["[tables.runs] schema", "found:    5"]),
        ("data = 3", ["line 17: [[metrics]] number 1: data", "a key that is not known"]),
    ],
)
def test_every_mistake_says_where_what_and_what_instead(
    settings_file: Write, more: str, told: list[str]
) -> None:
    """File, line, key, what was found, what was expected, the nearest name."""
    text = refused(settings_file(SETTINGS, more=more))
    for words in ("hawkeye.toml, line", "found:", "expected:", *told):
        assert words in text


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(settings_file: Write) -> None:
    """Nobody should have to start the bot five times."""
    path = settings_file(more="[slack]\nport = 0\n[walk]\nworkers = 99\nsecond = 1")
    with pytest.raises(SettingsError) as caught:
        load(path, {})
    problems = caught.value.problems
    assert [p.where for p in problems] == ["[slack] port", "[walk] workers", "[walk] second"]
    assert [p.line for p in problems] == [18, 20, 21]


def test_no_settings_at_all_are_a_clear_message(tmp_path: Path) -> None:
    """The folder is named, with the settings files that are there."""
    (tmp_path / "hawk.toml").write_text("")
    told = refused(tmp_path / "hawkeye.toml")
    assert f"no such file in {tmp_path}, but hawk.toml" in told
    assert "docs/settings.md" in told
    assert "hawkeye init" in told


def test_a_folder_or_bytes_are_a_clear_message(tmp_path: Path) -> None:
    """What can't be read as text is told as such."""
    assert "expected: a file that can be read" in refused(tmp_path)
    (tmp_path / "hawkeye.toml").write_bytes(b"[data]\nurl = '\xff'")
    assert "not UTF-8 at position 14" in refused(tmp_path / "hawkeye.toml")


def test_broken_toml_shows_the_line(settings_file: Write) -> None:
    """The parser's place and reason, with the line itself."""
    told = refused(settings_file("[data]\nurl duckdb\n"))
    assert told.startswith("hawkeye.toml, line 2: not valid TOML\n  found:    `url duckdb`")
    assert "ends too early" in refused(settings_file('[data]\nurl = """duck'))


def test_an_empty_file_says_what_is_needed(settings_file: Write) -> None:
    """The two tables that can't be left out."""
    told = refused(settings_file(""))
    assert "[tables]" in told
    assert "[[metrics]]" in told


def channel(
    settings: Settings,
    metric: str | None = None,
    model: str | None = None,
    owners: Sequence[str] = (),
    severity: int = 1,
) -> str:
    """Where a route leads; the default channel where none does."""
    route = settings.route_for(metric, model, owners, severity)
    return route.channel if route else settings.slack.channel


def test_routes_go_by_metric_model_and_owner(settings_file: Write) -> None:
    """The first route that matches counts; what no route matches goes to the default."""
    text = SETTINGS.replace('task = "binary"', 'owner = "flights"')
    routes = """
    [alerts]
    routes = [
      { channel = "#precise", metric = "precision", model = "delay" },
      { channel = "#flights", owner = "flights" },
    ]
    """
    settings = load(settings_file(text, more=routes), {})
    assert channel(settings, metric="precision", model="delay") == "#precise"
    assert channel(settings, metric="precision") == "#ml-oncall"
    assert channel(settings, model="delay") == "#flights"
    assert channel(settings, owners=["flights"]) == "#flights"


def test_a_route_may_ask_for_a_severity(settings_file: Write) -> None:
    """As bad as that or worse; it may be all that a route asks for."""
    more = '[[alerts.routes]]\nchannel = "#loud"\nseverity = 2'
    settings = load(settings_file(more=more), {})
    found = [channel(settings, metric="precision", severity=n) for n in (1, 2, 3)]
    assert found == ["#loud", "#loud", "#ml-oncall"]


# -- against the tables ----------------------------------------------------------------------


def wrong(path: Path) -> str:
    """The one block that `check` tells."""
    told = check(load(path, {}))
    assert len(told) == 1, told
    return told[0]


def test_a_missing_table_is_named(settings_file: Write) -> None:
    """With the line that names it and the engine's reason."""
    told = wrong(settings_file(more='[tables.infra]\nsource = "infra.parquet"'))
    assert told.startswith("hawkeye.toml, line 18: [tables.infra] source")
    assert '"infra.parquet"' in told


def test_a_missing_column_gets_the_nearest_one(settings_file: Write) -> None:
    """The columns that are there stand beside the one that is not."""
    told = wrong(settings_file(SETTINGS.replace('"late"', '"lates"')))
    assert "line 6: [tables.predictions] label" in told
    assert '"lates", a column that is not there' in told
    assert "ts, model, score, late, carrier, temp" in told
    assert "did you mean `late`?" in told


def test_columns_that_are_only_listed_are_looked_at_as_well(settings_file: Write) -> None:
    """Dimensions, features and hidden columns are claims like any other."""
    lists = 'label = "late"\ndimensions = ["carier"]\nfeatures = ["temp"]\nhidden = ["temp"]'
    told = wrong(settings_file(SETTINGS.replace('label = "late"', lists)))
    assert "[tables.predictions] dimensions" in told
    assert "did you mean `carrier`?" in told


def test_a_hidden_columns_values_are_not_shown_where_it_holds_no_times(
    settings_file: Write,
) -> None:
    """What stands in it is told only of a column that may be shown."""
    text = SETTINGS.replace('label = "late"', 'label = "late"\nlabel_time = "carrier"')
    assert '"carrier", which holds text such as "' in wrong(settings_file(text))
    hidden = text.replace('label = "late"', 'label = "late"\nhidden = ["carrier"]')
    told = wrong(settings_file(hidden))
    assert '"carrier", which holds text\n' in told


def test_a_prediction_that_is_no_number_is_told(settings_file: Write) -> None:
    """Unless a model predicts classes, which may have names."""
    text = SETTINGS.replace('prediction = "score"', 'prediction = "carrier"')
    told = wrong(settings_file(text))
    assert '"carrier", which holds text such as "UA"' in told
    assert "expected: numbers" in told
    assert "multiclass" in told
    classes = text.replace('"binary"', '"multiclass"').replace(
        'kind = "precision"', KIND_OF_CLASSES
    )
    assert check(load(settings_file(classes), {})) == []


KIND_OF_CLASSES = 'kind = "accuracy"'


def test_a_time_that_is_no_time_is_told(settings_file: Write) -> None:
    """Text that does not parse is shown; numbers with fractions are no times."""
    told = wrong(settings_file(SETTINGS.replace('"ts"', '"carrier"')))
    assert 'which holds text such as "' in told
    assert "expected: times" in told
    assert "holds numbers" in wrong(settings_file(SETTINGS.replace('"ts"', '"temp"')))


@pytest.mark.parametrize(("kind", "told"), [("auc", True), ("precision", False)])
def test_scores_where_a_metric_needs_probabilities_are_told(
    settings_file: Write, kind: str, told: bool
) -> None:
    """A percentage or a log odds would be cut off at 1; a decision by threshold may be on any."""
    text = SETTINGS.replace('prediction = "score"', 'prediction = "temp"')
    problems = check(
        load(settings_file(text.replace('kind = "precision"', f'kind = "{kind}"')), {})
    )
    assert any("probabilities from 0 to 1" in problem for problem in problems) == told


def test_labels_that_are_amounts_need_the_task_of_a_regression(
    settings_file: Write, tmp_path: Path
) -> None:
    """Of a model that is called binary, and of one that the settings do not name."""
    told = 'expected: `task = "regression"` in its `[[models]]` block (name = "{}")'
    amounts = SETTINGS.replace('label = "late"', 'label = "temp"')
    path = settings_file(amounts)
    name = load(path, {}).models[0].name
    assert told.format(name) in wrong(path)
    assert check(load(settings_file(SETTINGS), {})) == []
    log = "ts,score,late\n" + "".join(f"2026-01-01T{h:02d}:00,0.5,{h * 7}\n" for h in range(24))
    (tmp_path / "amounts.csv").write_text(log)
    table = 'source = "amounts.csv"\ntime = "ts"\nprediction = "score"\nlabel = "late"\n'
    unnamed = f'[tables.predictions]\n{table}[[metrics]]\nname = "error"\nkind = "mae"\n'
    assert told.format("…") in wrong(settings_file(unnamed))
    named = unnamed + '[[models]]\nname = "eta"\ntask = "regression"\n'
    assert check(load(settings_file(named), {})) == []


def test_a_file_of_a_header_alone_is_told_as_empty(settings_file: Write, tmp_path: Path) -> None:
    """Not as one whose columns hold text."""
    path = settings_file()
    log = tmp_path / "log.csv"
    log.write_text(log.read_text().splitlines()[0] + "\n")
    told = wrong(path)
    assert '"log.csv", which has no row' in told
    assert "which holds text" not in told


def test_milliseconds_are_suspected(settings_file: Write, tmp_path: Path) -> None:
    """Integers are seconds since 1970; a thousand times as many are the usual mistake."""
    infra = '[tables.infra]\nsource = "infra.csv"'
    path = settings_file(more=infra)
    (tmp_path / "infra.csv").write_text("time,service,metric,value\n1372672800,s,m,1\n")
    assert check(load(path, {})) == []
    (tmp_path / "infra.csv").write_text("time,service,metric,value\n1372672800000,s,m,1\n")
    assert "1,372,672,800,000: milliseconds?" in wrong(path)
    (tmp_path / "infra.csv").write_text("time,service,metric,value\n1372672800000000000,s,m,1\n")
    assert ": nanoseconds?" in wrong(path)


def test_a_model_without_a_row_is_told(settings_file: Write) -> None:
    """A metric of a model that the log never mentions would be empty for ever."""
    text = SETTINGS.replace('[[metrics]]\nname = "precision"', '[[metrics]]\nname = "p"')
    told = wrong(settings_file(text.replace('kind = "precision"\nmodel = "delay"', MISSPELT)))
    assert '"delayy", which has no row in log.csv' in told
    assert "did you mean `delay`?" in told


@pytest.mark.parametrize(
    ("kind", "task", "expected"),
    [
        ("auc", "regression", "`mae`, `rmse` or `bias` would"),
        ("calibration", "multiclass", "`accuracy` or `volume` would"),
        ("ndcg", "ranking", "`ndcg` needs a `group`"),
    ],
)
def test_a_metric_that_can_have_no_figure_is_told(
    settings_file: Write, kind: str, task: str, expected: str
) -> None:
    """The kind has to fit the task, and its columns have to be named."""
    text = SETTINGS.replace('kind = "precision"', f'kind = "{kind}"')
    text = text.replace('task = "binary"', f'task = "{task}"')
    told = wrong(settings_file(text))
    assert f'found:    "{kind}"' in told
    assert expected in told


MISSPELT = 'kind = "precision"\nmodel = "delayy"'


def test_a_table_in_a_database_is_looked_at_too(settings_file: Write, tmp_path: Path) -> None:
    """A source without a file's ending is the name of a table."""
    import duckdb

    with duckdb.connect(str(tmp_path / "lake.duckdb")) as lake:
        lake.execute("create table served (ts timestamp, model text, score double, late int)")
    text = SETTINGS.replace("log.csv", "served").replace('model = "model"\n', "")
    path = settings_file(text, more='[data]\nurl = "duckdb://lake.duckdb"')
    assert check(load(path, {})) == []
    assert "[tables.predictions] source" in wrong(settings_file(text.replace("served", "gone")))


# -- lines and docs --------------------------------------------------------------------------


def test_lines_are_found_through_lists_texts_and_quotes() -> None:
    """Keys after multi-line values keep their lines; elements of arrays are numbered."""
    text = "\n".join(
        [
            "a = [  # ] not the end",
            "  'x = 1',",
            "]",
            'b = """',
            "[not.a.table]",
            'c = 1"""',
            "[[m]]",
            '"q.r" = {x = 1}',
            "[[m]]  # second",
            "k.l = 2",
            "[m.sub]",
            "z = 3",
        ]
    )
    found = lines_of(text)
    assert found == {
        ("a",): 1,
        ("b",): 4,
        ("m", 0): 7,
        ("m", 0, "q.r"): 8,
        ("m", 1): 9,
        ("m", 1, "k", "l"): 10,
        ("m", 1, "sub"): 11,
        ("m", 1, "sub", "z"): 12,
    }
    assert line_of(found, ("m", 0, "q.r", "x")) == 8
    assert line_of(found, ("nowhere",)) is None


@given(st.text(alphabet="[]{}=#\"'\n ab.,\\", max_size=80))
def test_no_text_breaks_the_search_for_lines(text: str) -> None:
    """Broken TOML is told by the parser; the search only looks."""
    assert all(1 <= line <= text.count("\n") + 1 for line in lines_of(text).values())


def test_the_page_of_the_docs_is_up_to_date() -> None:
    """It is written by `python -m bot.config.document`."""
    assert TARGET.read_text(encoding="utf-8") == page()


def test_every_key_is_documented() -> None:
    """No row of the page lacks its meaning."""
    rows = [line for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) > 90
    assert [row for row in rows if not row.rstrip("| ").count(" | ") >= 2 or "|  |" in row] == []


def test_the_start_on_the_page_is_taken(tmp_path: Path) -> None:
    """What a newcomer copies must work as it stands."""
    (tmp_path / "hawkeye.toml").write_text(START)
    settings: Settings = load(tmp_path / "hawkeye.toml", {})
    assert channel(settings, model="ranker") == "#ranking-oncall"


def test_an_engine_that_cannot_be_reached_is_one_problem(settings_file: Write) -> None:
    """At its own key, whatever tables would be read there."""
    told = wrong(settings_file(more='[data]\nurl = "sqlite://gone.db"'))
    assert told.startswith("hawkeye.toml, line 18: [data] url")
    assert "there is no file" in told


TWO = """
[[slack.workspaces]]
name = "ranking"
id = "T0RANK"

[[slack.workspaces]]
name = "weather"
id = "T0WEATHER"
org = "E0ACME"
call = ["U1"]
"""


def test_several_workspaces_are_named_by_their_routes(settings_file):
    """And the first one gets the rest."""
    route = """
[[alerts.routes]]
metric = "precision"
workspace = "weather"
channel = "#late"
"""
    settings = load(settings_file(more=TWO + route), {})
    assert settings.slack.installations == ("T0RANK", "E0ACME")
    assert settings.state_of("E0ACME").name == "state-E0ACME.db"
    routing = Routing(settings, SimpleNamespace(owners={}))
    alert = Alert("generic", "k", "metric", "precision", "", datetime.now(UTC))
    found = routing.target(alert)
    assert (found.installation, found.channel, found.call) == ("E0ACME", "T0WEATHER/#late", ("U1",))
    sections = settings.oncall.model_copy(update={"call": ("S1", "pagerduty:P1")})
    alike = [w.model_copy(update={"call": ()}) for w in settings.slack.workspaces]
    slack = settings.slack.model_copy(update={"workspaces": tuple(alike)})
    usual = settings.model_copy(update={"oncall": sections, "slack": slack})
    assert replace(routing, settings=usual).target(alert).call == ("pagerduty:P1",)
    other = replace(alert, entry="model", subject="delay")
    assert replace(routing, settings=usual).target(other).call == ("S1", "pagerduty:P1")
    assert routing.target(other).installation == "T0RANK"
    within = routing.within("T0RANK", alert)
    assert (within.installation, within.channel) == ("T0RANK", "#ml-oncall")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (TWO + '[[alerts.routes]]\nseverity = 1\nchannel = "#x"', "has #x: ranking, weather"),
        (
            TWO + '[[alerts.routes]]\nseverity = 1\nchannel = "#x"\nworkspace = "wether"',
            "did you mean `weather`?",
        ),
        (
            '[[alerts.routes]]\nseverity = 1\nchannel = "#x"\nworkspace = "weather"',
            "no workspace: there is only the one of the bot token",
        ),
        (TWO.replace("T0WEATHER", "T0RANK"), "an id of its own"),
        (TWO.replace("T0WEATHER", "weather.slack.com"), "expected a workspace's id"),
        (TWO.replace("E0ACME", "acme"), "expected an org's id"),
    ],
)
def test_a_workspace_that_is_not_clear_is_refused_in_words(settings_file, more, told):
    """A channel alone does not say where it is."""
    assert told in refused(settings_file(more=more))


def test_several_workspaces_need_the_app_and_no_bot_token(settings_file):
    """Each has a token of its own."""
    settings = load(settings_file(more=TWO), {"SLACK_APP_TOKEN": "xapp-1"})
    with pytest.raises(SettingsError) as caught:
        require_slack(settings)
    said = str(caught.value)
    assert "SLACK_CLIENT_ID" in said
    assert "SLACK_CLIENT_SECRET" in said
    assert "SLACK_BOT_TOKEN" not in said
    settings = load(settings_file(), {"SLACK_CLIENT_ID": "1.2", "SLACK_APP_TOKEN": "xapp-1"})
    with pytest.raises(SettingsError, match=r"or for OAuth .* in \[\[slack.workspaces\]\]"):
        require_slack(settings)
