"""The tree that we ship: from an alert to its root cause (capabilities 2 to 10 of HawkEye).

Source of the walk: "AI debugging at Meta with HawkEye", Engineering at Meta, 2023-12-19.
"""

from __future__ import annotations

from dataclasses import replace

from analysis import (
    cause,
    features,
    infra,
    inside,
    label_delivery,
    models,
    recovery,
    segments,
    snapshots,
    topline,
    training_data,
    upstream,
)
from state.tree import AGAIN, LEFT, Branch, Example, Exit, Node, Tree

_REAL = Node(
    name="real",
    title="Is it real?",
    question="Is the alert real, and since when?",
    why="An alert can be noise. The onset decides which window everything after it looks at.",
    diagnosis="The series against the same hours of earlier days, with its band; a change point "
    "gives the onset.",
    mitigation="A false alarm needs no action but a better threshold.",
    check=topline.is_it_real,
    blind="real",
    branches=(
        Branch("real", "cause", "Real"),
        Branch("false_alarm", "false_alarm", "False alarm"),
    ),
    examples=(Example("corrupted_labels", "real"), Example("none", "false_alarm")),
)

_INSIDE = Node(
    name="inside",
    title="What changed inside the model?",
    question="What is different inside the model, or in how it is served?",
    why="A diverged training or a changed serving setting shows in curves, weights and in "
    "another answer to the same question.",
    diagnosis="Training curve, weights per module against the parent's, the same rows "
    "before and after.",
    mitigation="Roll the snapshot, or the serving setting, back.",
    check=inside.look_inside,
    # Its answers accuse a snapshot: what nobody can look into does not clear it.
    blind="snapshot",
    branches=(
        Branch("snapshot", "snapshot_exit", "This snapshot's training"),
        Branch("model", "model", "How it is served"),
        Branch("fine", "features", "Nothing inside: look at features", clears=("snapshot",)),
    ),
    uses=("snapshots",),
    examples=(Example("diverged", "snapshot"),),
)

NODES = (
    _REAL,
    replace(
        _REAL,
        name="real_model",
        branches=(
            Branch("real", "models", "Real"),
            Branch("false_alarm", "false_alarm", "False alarm"),
        ),
        examples=(),
    ),
    replace(
        _REAL,
        name="real_feature",
        branches=(
            Branch("real", "features", "Real"),
            Branch("false_alarm", "false_alarm", "False alarm"),
        ),
        examples=(),
    ),
    Node(
        name="cause",
        title="Traffic, infrastructure or model?",
        question="Did the traffic move, did infrastructure break, or is it a model?",
        why="The three are mended by different teams. A world that moved is mended by nobody.",
        diagnosis="The change is split into mix and rate; infrastructure series are searched for a "
        "break at the onset; labels tell whether the world moved.",
        mitigation="Traffic: its owner. Infrastructure: its on-call. Model: go on.",
        check=cause.which_class,
        blind="model",
        beside=True,
        branches=(
            Branch("model", "models", "Model"),
            Branch("traffic", "segments", "Traffic"),
            Branch("infrastructure", "infra", "Infrastructure"),
            Branch("world", "segments", "The world changed"),
            Branch("labels", "labels", "Labels"),
        ),
        uses=("infra",),
        examples=(
            Example("unit_change", "model"),
            Example("traffic_shift", "traffic"),
            Example("infra", "infrastructure"),
            Example("withheld_labels", "labels"),
        ),
    ),
    Node(
        name="segments",
        title="Which traffic?",
        question="Which segment carries the change?",
        why="A change that sits in one segment has a sender; one that sits everywhere has not.",
        diagnosis="The smallest set of dimension values that carries the change.",
        mitigation="Ask the segment's owner; filter or cap it where it is not wanted.",
        check=segments.which_traffic,
        blind="none",
        branches=(
            Branch("segment", "traffic", "This segment"),
            Branch("world", "world", "The world changed", rests=True),
            Branch("none", "models", "Not the traffic: look at models"),
        ),
        examples=(Example("traffic_shift", "segment"),),
    ),
    Node(
        name="infra",
        title="Which service?",
        question="Which service broke at the onset?",
        why="A slow feature store or a failing scorer degrades predictions that are themselves "
        "fine.",
        diagnosis="Every infrastructure series is searched for a break at the onset and ranked.",
        mitigation="Page the service's on-call; roll its last change back.",
        check=infra.which_service,
        blind="none",
        branches=(
            Branch("service", "infra_exit", "This service"),
            Branch("none", "models", "Not infrastructure: look at models"),
        ),
        needs=("infra",),
        uses=("predictions",),
        examples=(Example("infra", "service"),),
    ),
    Node(
        name="labels",
        title="Where are the labels?",
        question="Which labels are late, and what delivers them?",
        why="A figure that waits for labels moves when they do not come, whatever the model does.",
        diagnosis="The share of rows with a label as of the same hour of earlier days; the runs of "
        "what delivers labels, and infrastructure.",
        mitigation="Mend what delivers them, and judge the model again once they are here.",
        check=label_delivery.who_delivers,
        blind="none",
        branches=(
            Branch("source", "upstream_exit", "This node"),
            Branch("service", "infra_exit", "This service"),
            Branch("labels", "labels_exit", "Labels alone"),
            Branch("none", "models", "Not the labels: look at models"),
        ),
        uses=("lineage", "runs", "infra"),
        examples=(Example("withheld_labels", "labels"),),
    ),
    Node(
        name="models",
        title="Which models?",
        question="Which models are degraded, in which experiment arms?",
        why="One arm points to a snapshot or its settings; all models at once point to inputs "
        "that they share.",
        diagnosis="Calibration, normalised entropy, AUC and log loss per model and arm, with "
        "intervals, against the same hours of earlier days; an estimate where labels are late.",
        mitigation="Take an arm's traffic to zero while the diagnosis goes on.",
        check=models.which_models,
        blind="degraded",
        branches=(
            Branch("degraded", "snapshot", "These"),
            Branch("unsure", "snapshot", "Not known yet: look at snapshots"),
            Branch("none", "unknown", "None is degraded"),
        ),
        uses=("experiments",),
        examples=(Example("corrupted_labels", "degraded"),),
    ),
    Node(
        name="snapshot",
        title="Which snapshot?",
        question="Did a new snapshot of the model do it?",
        why="A snapshot can be rolled back in minutes, before anyone knows what is wrong with it.",
        diagnosis="Publish times against the onset; old and new snapshot on the same traffic.",
        mitigation="Roll back to the last good snapshot.",
        check=snapshots.which_snapshot,
        blind="unsure",
        beside=True,
        branches=(
            Branch("snapshot", "training_data", "This snapshot", each=True),
            Branch("not_snapshot", "features", "No snapshot: look at features"),
            Branch("unsure", "features", "Can't tell: look at features"),
        ),
        uses=("snapshots",),
        examples=(
            Example("corrupted_labels", "snapshot"),
            Example("unit_change", "not_snapshot"),
        ),
    ),
    Node(
        name="features",
        title="Which features?",
        question="Which features moved the predictions, or is it the model itself?",
        why="Drift is not responsibility: only a feature that the model uses can move it.",
        diagnosis="Drift with null and unseen bins, contributions on a surrogate, correlation "
        "of hourly feature and prediction distributions, and a joint view.",
        mitigation="Serve the feature's last good values or its default.",
        check=features.which_features,
        blind="none",
        branches=(
            Branch("inputs", "upstream", "These features", clears=("snapshot",)),
            Branch("model", "inside_model", "Not the inputs: look inside the model"),
            Branch("snapshot", "training_data", "Not the inputs: the new snapshot"),
            Branch("world", "world", "The world changed"),
            Branch("none", "unknown", "Neither"),
        ),
        examples=(
            Example("unit_change", "inputs"),
            Example("nulls", "inputs"),
            Example("shuffled", "inputs"),
        ),
    ),
    Node(
        name="upstream",
        title="Where does it come from?",
        question="Which upstream node changed these features?",
        why="The features are symptoms; the run, table or feed above them is what gets mended.",
        diagnosis="Health of every node above the suspects around the onset: status, rows, "
        "freshness, schema, version; their common ancestor.",
        mitigation="Roll the node's code back and run it again; page its owner.",
        check=upstream.which_upstream,
        blind="feature_only",
        branches=(
            Branch("upstream", "upstream_exit", "This node"),
            Branch("feature_only", "feature", "Stop at the features"),
            Branch("nothing", "unknown", "Nothing broke here"),
        ),
        uses=("lineage", "runs"),
        examples=(Example("unit_change", "upstream"),),
    ),
    Node(
        name="training_data",
        title="What was it trained on?",
        question="Is the snapshot's training data to blame?",
        why="A snapshot is what its data made it: a lost partition or wrong labels repeat "
        "themselves in the next one.",
        diagnosis="Partitions, volume, label rate, nulls and drift against the last good "
        "snapshot's training data and against serving.",
        mitigation="Mend the partition, train again; serve the last good snapshot until then.",
        check=training_data.what_was_it_trained_on,
        blind="fine",
        branches=(
            Branch("training_data", "training_exit", "The training data"),
            Branch("fine", "inside", "The data is fine: look inside"),
        ),
        uses=("training",),
        examples=(Example("corrupted_labels", "training_data"),),
    ),
    _INSIDE,
    replace(
        _INSIDE,
        name="inside_model",
        blind="fine",
        branches=(*_INSIDE.branches[:2], Branch("fine", "unknown", "Nothing inside")),
        examples=(),
    ),
    Node(
        name="recovery",
        title="Is it back?",
        question="Is the metric back in its band?",
        why="A mitigation is a guess until the metric says so.",
        diagnosis="The metric since the mitigation against its expected band.",
        mitigation="Not back: follow the suspects that are left.",
        check=recovery.is_it_back,
        blind="watching",
        branches=(
            Branch("recovered", "resolved", "Back to normal: resolve"),
            Branch("watching", AGAIN, "Keep watching"),
            Branch("not_recovering", LEFT, "Not recovering: next suspect"),
        ),
    ),
)

EXITS = (
    Exit("false_alarm", "false_alarm", "False alarm", "Nothing left its usual range."),
    Exit("traffic", "traffic", "Traffic", "One segment's traffic moved.", ("segment",)),
    Exit(
        "world",
        "world",
        "The world changed",
        "Demand or behaviour moved; nothing broke.",
        ("segment",),
    ),
    Exit(
        "labels_exit",
        "labels",
        "Labels",
        "Labels come late or not at all; nothing says that the model is worse.",
        ("segment",),
    ),
    Exit("infra_exit", "infra", "Infrastructure", "A service broke.", ("infra",), ("rerun_node",)),
    Exit(
        "upstream_exit",
        "upstream",
        "Upstream",
        "A node upstream of the features changed what it writes.",
        ("upstream",),
        ("rerun_node",),
    ),
    Exit(
        "feature",
        "feature",
        "Features",
        "These features changed; nothing upstream shows why.",
        ("feature",),
        ("rerun_node",),
    ),
    Exit(
        "training_exit",
        "training_data",
        "Training data",
        "The snapshot was trained on bad data.",
        ("training_data", "snapshot"),
        ("rollback",),
    ),
    Exit(
        "snapshot_exit",
        "snapshot",
        "Snapshot",
        "The snapshot itself is bad.",
        ("snapshot",),
        ("rollback",),
    ),
    Exit(
        "model",
        "model",
        "Model",
        "The model is served differently, without a new snapshot.",
        ("arm", "model"),
        ("arm_to_zero",),
    ),
    Exit("unknown", "unknown", "Unknown", "The cause is none of those that the tree can see."),
    Exit("resolved", "resolved", "Resolved", "The metric is back in its band."),
)

TREE = Tree(
    nodes=NODES,
    exits=EXITS,
    starts=(("metric", "real"), ("model", "real_model"), ("feature", "real_feature")),
    recovery="recovery",
)
