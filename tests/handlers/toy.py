"""A small tree and a walk over it, made of events only: no data is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from analysis.evidence import Chart, Evidence, How, Onset, Scope, Suspect, Table, Window
from state import effects as fx
from state import events as ev
from state.events import Event
from state.incident import Alert, Incident
from state.machine import advance
from state.tree import AGAIN, LEFT, Branch, Exit, Node, Tree

START = datetime(2026, 3, 4, 14, 5, tzinfo=UTC)
PNG = b"\x89PNG toy"


def unused(_warehouse: object, _scope: Scope) -> Evidence:
    """A check that no test here runs."""
    raise AssertionError("these tests read no data")


def node(name: str, title: str, *branches: Branch) -> Node:
    """A node of the toy tree."""
    return Node(
        name,
        title,
        f"{title} Since when?",
        why="Each has another owner.",
        diagnosis="Compared with a usual day.",
        mitigation="Page its owner.",
        check=unused,
        branches=branches,
        blind=branches[1 if name in ("snapshot", "recovery") else 0].verdict,
    )


TREE = Tree(
    nodes=(
        node(
            "real",
            "Is it real?",
            Branch("real", "cause", "Real"),
            Branch("false_alarm", "false_alarm", "False alarm"),
        ),
        node(
            "cause",
            "Traffic, infrastructure or model?",
            Branch("model", "models", "Model"),
            Branch("traffic", "traffic", "Traffic"),
            Branch("infrastructure", "infra", "Infrastructure"),
            Branch("world", "world", "The world changed"),
        ),
        node(
            "models",
            "Which models?",
            Branch("degraded", "snapshot", "These"),
            Branch("none", "unknown", "None is degraded"),
        ),
        node(
            "snapshot",
            "Which snapshot?",
            Branch("snapshot", "snapshot_exit", "This snapshot", each=True),
            Branch("not_snapshot", "features", "No snapshot: look at features"),
            Branch("unsure", "features", "Can't tell: look at features"),
        ),
        node(
            "features",
            "Which features?",
            Branch("inputs", "upstream", "These features"),
            Branch("model", "model", "Not the inputs: look inside the model"),
            Branch("none", "unknown", "Neither"),
        ),
        node(
            "upstream",
            "Where does it come from?",
            Branch("upstream", "upstream_exit", "This node"),
            Branch("feature_only", "feature", "Stop at the features"),
        ),
        node(
            "recovery",
            "Is it back?",
            Branch("recovered", "resolved", "Back to normal: resolve"),
            Branch("watching", AGAIN, "Keep watching"),
            Branch("not_recovering", LEFT, "Not recovering: next suspect"),
        ),
    ),
    exits=(
        Exit("false_alarm", "false_alarm", "False alarm", "Nothing left its usual range."),
        Exit("traffic", "traffic", "Traffic", "One segment moved.", ("segment",)),
        Exit("world", "world", "The world changed", "Nothing broke.", ("segment",)),
        Exit("infra", "infra", "Infrastructure", "A service broke.", ("infra",)),
        Exit("snapshot_exit", "snapshot", "Snapshot", "It is bad.", ("snapshot",), ("rollback",)),
        Exit("model", "model", "Model", "Served differently.", ("arm", "model")),
        Exit("upstream_exit", "upstream", "Upstream", "It changed.", ("upstream",), ("rerun",)),
        Exit("feature", "feature", "Features", "They changed.", ("feature",)),
        Exit("unknown", "unknown", "Unknown", "None of these."),
        Exit("resolved", "resolved", "Resolved", "It is back."),
    ),
    starts=(("metric", "real"),),
    recovery="recovery",
)


def at(minutes: float) -> datetime:
    """So many minutes after the alert."""
    return START + timedelta(minutes=minutes)


def chart(name: str) -> Chart:
    """A chart named after its words."""
    return Chart.of(PNG + name.encode(), name, f"{name}: from 0.71 to 0.58")


SCOPE = Scope(
    now=at(17),
    window=Window(START, at(17)),
    baseline=Window(START - timedelta(days=14), START),
    entry="metric",
    subject="precision",
)
HOW = How(
    "Medians of the same hours.",
    window=SCOPE.window,
    baseline=SCOPE.baseline,
    rows=41_200,
    baseline_rows=1_912_004,
    seconds=0.41,
)
ALERT = Alert(
    source="alertmanager",
    key="precision",
    entry="metric",
    subject="precision",
    title="Late-arrival alerts: precision 0.71 → 0.58",
    since=START,
    url="https://alerts.example/1?a=b&c=d",
)
TEMP = Suspect(
    "feature", "temp", 0.61, "values are 0.5556 × old − 17.78: °F → °C?", 0.55, 0.67, START
)
DEWP = Suspect("feature", "dewp", 0.22, "the same change", 0.17, 0.27, START)
VISIB = Suspect("feature", "visib", 0.08, "31% missing, was 4%", 0.04, 0.11, at(-300))
MODEL = Suspect("model", "delay_gbm", 0.9, "calibration 1.00 → 1.41")
HOURLY = Suspect("upstream", "weather_hourly", 0.94, "the run of 14:00 writes °C", since=START)

REAL = Evidence(
    "real",
    0.98,
    "Yes. It left its band at 14:05 (± 5 min) and has been out for 17 minutes; in 14 days it "
    "never stayed out longer than 4.",
    proposed=0,
    charts=(chart("The metric fell out of its band"),),
    onset=Onset(START, at(-5), at(5)),
    how=HOW,
)
CAUSE = Evidence(
    "model",
    0.94,
    "The model. 94% of the drop happened inside segments, 6% because their mix moved.",
    proposed=0,
    charts=(chart("The drop is within segments"),),
    not_examined=("feature store latency (no table infra in the settings)",),
    how=HOW,
)
MODELS = Evidence(
    "degraded",
    0.97,
    "One of two models predicts 41% too many delays, in both arms alike.",
    suspects=(MODEL,),
    charts=(chart("Calibration by model"),),
    how=HOW,
)
SNAPSHOT = Evidence(
    "not_snapshot",
    0.9,
    "No. The last snapshot was published 9 hours before the onset and was fine until then.",
    proposed=0,
    charts=(chart("Publishes against the onset"),),
    how=HOW,
)
FEATURES = Evidence(
    "inputs",
    0.93,
    "temp, then dewp. Together they explain 83% of the shift in predictions; 17% is not "
    "explained by inputs.",
    suspects=(TEMP, DEWP, VISIB),
    proposed=2,
    charts=(chart("temp moved when predictions did"),),
    table=Table(
        ("feature", "explains", "what changed", "since"),
        (
            ("temp", "61%", "values are 0.5556 × old − 17.78: °F → °C?", "14:00"),
            ("dewp", "22%", "the same change", "14:00"),
            ("visib", "8%", "31% missing, was 4%", "09:00, before the onset"),
        ),
    ),
    disagreements=("visib drifted, but the model hardly uses it",),
    how=HOW,
)
UPSTREAM = Evidence(
    "upstream",
    0.96,
    "Both are made in weather_hourly from noaa_feed. Its 14:00 run changed the unit of two "
    "columns; it finished green.",
    suspects=(HOURLY,),
    charts=(chart("Lineage of temp and dewp"),),
    how=HOW,
)
WALK = (REAL, CAUSE, MODELS, SNAPSHOT, FEATURES, UPSTREAM)


def opened(alert: Alert = ALERT) -> Incident:
    """An incident whose first check is running."""
    return after(Incident("HE-12", alert, START, 2), ev.Opened(at(0), "real", SCOPE))


def after(incident: Incident, *events: Event) -> Incident:
    """The incident after these events; each one has to fit."""
    for event in events:
        changed, effects = advance(incident, event, TREE)
        refused = [e.why for e in effects if isinstance(e, fx.Refuse)]
        assert not refused, refused
        incident = changed
    return incident


def walked(steps: int, *, last_answered: bool = True) -> Incident:
    """The incident after so many steps of the walk, every proposal accepted by U0ANA."""
    incident = after(opened(), ev.Taken(at(1), "U0ANA", "U0ANA"))
    for number, evidence in enumerate(WALK[:steps], 1):
        incident = after(incident, ev.Checked(at(2 * number), number, evidence))
        if number < steps or last_answered:
            answer = ev.Answered(at(2 * number + 1), number, evidence.verdict, "U0ANA")
            incident = after(incident, answer)
    return incident


NOT_BACK = Evidence("not_recovering", 0.9, "Not back after 20 minutes.", how=HOW)
BACK = Evidence("recovered", 0.97, "Back in its band since 15:25.", how=HOW)
WATCHING = Evidence("watching", 0.5, "Too few rows to tell.", how=HOW)


def mitigated(incident: Incident, *then: Event) -> Incident:
    """The conclusion's mitigation asked for, planned, confirmed and done."""
    return after(
        incident,
        ev.MitigationAsked(at(20), "U0ANA", "rerun", HOURLY),
        ev.MitigationPlanned(at(20), 1, "Runs weather_hourly again."),
        ev.MitigationConfirmed(at(21), 1, "U0BO"),
        ev.MitigationDone(at(22), 1, "It ran."),
        *then,
    )
