"""A company's models, features and lineage, and causes planted in it: which alert is due to which.

Seeded, and drawn without asking the code that groups: the truth is where each alert comes from.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

AREAS = ("eta", "fraud", "ranking", "pricing", "churn", "demand")
MODELS, NODES, LAKES = 60, 80, 5
METRICS_OF_A_MODEL = 2
LONE_METRICS = 24
"""Metrics with a table of their own, which no model of ours makes."""
KINDS = {"node": 20, "model": 16, "metric": 14}
"""How many causes of each kind are planted; fifty in all."""


@dataclass
class World:
    """Names, and what feeds what."""

    features: dict[str, str] = field(default_factory=dict)
    """Feature to the node that makes it."""
    lakes: dict[str, str] = field(default_factory=dict)
    """Node to the lake above it."""
    uses: dict[str, list[str]] = field(default_factory=dict)
    """Model to its features."""
    metrics: dict[str, str] = field(default_factory=dict)
    """Metric to its model, "" for none."""

    @classmethod
    def drawn(cls, rng: random.Random) -> World:
        """Nodes make two to four features each; a model uses features of two nodes."""
        world = cls()
        for n in range(NODES):
            node = f"{rng.choice(AREAS)}_table_{n}"
            world.lakes[node] = f"lake_{rng.randrange(LAKES)}"
            for f in range(rng.randint(2, 4)):
                world.features[f"{node.split('_')[0]}_signal_{n}_{f}"] = node
        for m in range(MODELS):
            model = f"{rng.choice(AREAS)}_model_{m}"
            tables = rng.sample(sorted(world.lakes), 2)
            made = [f for f, node in world.features.items() if node in tables]
            world.uses[model] = rng.sample(made, rng.randint(3, len(made)))
            for k in range(METRICS_OF_A_MODEL):
                world.metrics[f"{('calibration', 'precision')[k]} of {model}"] = model
        for n in range(LONE_METRICS):
            world.metrics[f"business figure {n}"] = ""
        return world

    def write(self, folder: Path) -> Path:
        """Settings, an empty serving log with its columns, and the lineage; the settings' path."""
        columns = ["time", "score", "label", "model", *self.features]
        zeros = [
            "2026-01-01 00:00:00",
            "0.5",
            "1",
            next(iter(self.uses)),
            *["0"] * len(self.features),
        ]
        (folder / "log.csv").write_text(",".join(columns) + "\n" + ",".join(zeros) + "\n")
        (folder / "lone.csv").write_text("time,value\n2026-01-01 00:00:00,1\n")
        edges = ["upstream,downstream,upstream_column,downstream_column"]
        edges += [f"{lake},{node},," for node, lake in self.lakes.items()]
        for model, features in self.uses.items():
            edges += [f"{self.features[f]},{model},{f},{f}" for f in features]
        unused = set(self.features) - {f for fs in self.uses.values() for f in fs}
        edges += [f"{self.features[f]},archive,{f},{f}" for f in sorted(unused)]
        (folder / "lineage.csv").write_text("\n".join(edges) + "\n")
        path = folder / "hawkeye.toml"
        path.write_text(self._settings())
        return path

    def _settings(self) -> str:
        lines = ["[tables.predictions]", 'source = "log.csv"', 'time = "time"']
        lines += ['prediction = "score"', 'label = "label"', 'model = "model"']
        lines += ["[tables.lineage]", 'source = "lineage.csv"']
        lines += ['upstream_column = "upstream_column"', 'downstream_column = "downstream_column"']
        lines += ["[monitors]", "on = false"]
        for model in self.uses:
            lines += ["[[models]]", f'name = "{model}"']
        for metric, model in self.metrics.items():
            lines += ["[[metrics]]", f'name = "{metric}"']
            lines += (
                [f'kind = "calibration"\nmodel = "{model}"'] if model else ['source = "lone.csv"']
            )
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Told:
    """One alert as its rule tells it. ``about`` is (kind, name); ``rule`` is its identity."""

    cause: int
    at: float
    about: tuple[str, str]
    rule: str
    since: datetime
    firing: bool = True


def storm(
    world: World, rng: random.Random, count: int, seconds: float, now: datetime
) -> list[Told]:
    """``count`` firing alerts within ``seconds``, by time, and the ends of some between them.

    Each cause has an onset of its own within the last forty minutes; a rule sees it up to five
    minutes late. Rules repeat themselves, end, and come back.
    """
    symptoms = [_shown(world, cause) for cause in _causes(world, rng)]
    told: list[Told] = []
    onsets = [now - timedelta(minutes=rng.uniform(5, 40)) for _ in symptoms]
    sinces: dict[tuple[int, str], datetime] = {}
    # Every cause is heard of at least once; the rest is drawn with loud and quiet causes.
    weights = [rng.uniform(0.5, 3.0) for _ in symptoms]
    drawn = [
        *range(len(symptoms)),
        *rng.choices(range(len(symptoms)), weights, k=count - len(symptoms)),
    ]
    rng.shuffle(drawn)
    for cause in drawn:
        kind, name = rng.choice(symptoms[cause])
        rule = f"{cause}-{kind}-{name}-{rng.randrange(2)}"
        late = onsets[cause] + timedelta(minutes=rng.uniform(0, 5))
        since = sinces.setdefault((cause, rule), late)
        at = rng.uniform(0, seconds)
        told.append(Told(cause, at, (kind, name), rule, since))
        if rng.random() < 0.1:
            end = min(at + rng.uniform(0, 5), seconds)
            told.append(Told(cause, end, (kind, name), rule, since, firing=False))
    return sorted(told, key=lambda t: t.at)


def _causes(world: World, rng: random.Random) -> list[tuple[str, str]]:
    """Fifty things that broke: nodes, models by themselves, and metrics that no model makes.

    A model that breaks by itself uses nothing of a node that is ill, so that the truth is one.
    """
    nodes = rng.sample(sorted(world.lakes), KINDS["node"])
    ill = {f for f, node in world.features.items() if node in nodes}
    sound = [m for m, used in sorted(world.uses.items()) if not ill & set(used)]
    models = rng.sample(sound, min(KINDS["model"], len(sound)))
    lone = [m for m, model in world.metrics.items() if not model]
    metrics = rng.sample(lone, sum(KINDS.values()) - len(nodes) - len(models))
    return [
        *(("upstream", n) for n in nodes),
        *(("model", m) for m in models),
        *(("metric", m) for m in metrics),
    ]


def _shown(world: World, cause: tuple[str, str]) -> list[tuple[str, str]]:
    """What a cause makes alert: itself, and what it feeds."""
    kind, name = cause
    shown = [cause]
    if kind == "upstream":
        made = [f for f, node in world.features.items() if node == name]
        shown += [("feature", f) for f in made]
        fed = [m for m, used in world.uses.items() if set(made) & set(used)][:2]
        shown += [("model", m) for m in fed]
        shown += [("metric", k) for k, m in world.metrics.items() if m in fed]
    if kind == "model":
        shown += [("metric", k) for k, m in world.metrics.items() if m == name]
    return shown
