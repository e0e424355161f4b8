"""Draws one incident and writes its tables: see :mod:`analysis.scenarios`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.evidence import Scope, Window
from analysis.scenarios import FAULTS, Options, Planted, Truth, breakages, synthetic, tables
from analysis.scenarios.synthetic import Trained

if TYPE_CHECKING:
    import pandas as pd

START = datetime(2024, 2, 5, tzinfo=UTC)
HISTORY = 15
"""Days before the log begins: the first snapshots are trained on them."""

_NODE_OF = {
    "temp": "weather_hourly",
    "wind": "weather_hourly",
    "humid": "weather_hourly",
    "age": "fleet_registry",
    "seats": "fleet_registry",
    "carrier": "fleet_registry",
    "queue": "queue_stream",
    "distance": "requests",
    "channel": "requests",
    "battery": "device_log",
}
_EDGES = (
    ("weather_feed", "weather_hourly", "data-platform"),
    ("weather_feed", "weather_report", "data-platform"),
    ("fleet_db", "fleet_registry", "fleet"),
    ("queue_events", "queue_stream", "streaming"),
    ("device_feed", "device_log", "devices"),
)
_TARGETS: dict[str, tuple[tuple[str, ...], ...]] = {
    "unit_change": (("temp",), ("wind",), ("distance",), ("temp", "wind")),
    "stale": (("temp", "wind", "humid"), ("queue",)),
    "delayed": (("temp", "wind", "humid"), ("queue",)),
    # Not the distance: it goes with nothing, so its shuffle leaves no trace but in the labels.
    "shuffled": (("temp", "wind", "humid"), ("queue",)),
    "join_nulls": (("age", "seats"),),
    "join_shuffled": (("age", "seats", "carrier"),),
    "remapped": (("carrier",), ("channel",)),
    "new_level": (("carrier",), ("channel",)),
    "lost_level": (("carrier",), ("channel",)),
    "offset_pair": (("wind", "humid"), ("age", "seats")),
    "sign_flip": (("temp",), ("wind",)),
}
_ANY = (("temp",), ("wind",), ("humid",), ("age",), ("seats",), ("queue",), ("distance",))


class Plan:
    """One drawing of an incident; split into the tables that it writes."""

    def __init__(self, fault: str, seed: int, folder: Path, options: Options) -> None:
        self.fault, self.folder, self.options = fault, folder, options
        self.group = FAULTS[fault].group
        folder.mkdir(parents=True, exist_ok=True)
        self.rng = np.random.default_rng([seed, sorted(FAULTS).index(fault)])
        rng = self.rng
        self.hours = (HISTORY + options.days) * 24
        self.now_hour = self.hours - int(rng.integers(0, 8))
        lasted = int(rng.integers(10, 30))
        self.onset_hour = self.now_hour - lasted
        self.model = str(rng.choice(["delay", "upsell"]))
        self.arm: str | None = None
        if fault == "serving_change" and options.arms:
            self.arm = "test"
        drawn = 1.0 if fault in ("stale", "delayed") else float(rng.choice([0.35, 0.6, 1.0]))
        self.dose = options.dose or drawn
        pool = _TARGETS.get(fault, _ANY)
        targets = options.features or pool[int(rng.integers(len(pool)))]
        self.features: tuple[str, ...] = targets if self.group == "input" else ()
        self.publishes = {m: self._publishes(m) for m in ("delay", "upsell")}
        self.bad_snapshot: str | None = None
        if self.group == "snapshot":
            last = self.publishes[self.model][-1]
            self.bad_snapshot = f"{self.model}-{len(self.publishes[self.model])}"
            self.onset_hour = last

    def _publishes(self, model: str) -> list[int]:
        """Hours at which snapshots go live, weekly, the first before the log begins."""
        first = HISTORY * 24 - (20 if model == "delay" else 66)
        weekly = list(range(first, self.onset_hour - 30, 168))
        if self.group == "snapshot" and model == self.model:
            return [*weekly, self.onset_hour]
        if self.options.near_publish:
            return [*weekly, self.onset_hour - int(self.rng.integers(2, 20))]
        return weekly

    # -- rows --------------------------------------------------------------------------------

    def carry_out(self) -> Planted:
        """Draws the world, trains, serves, breaks, writes."""
        rng, o = self.rng, self.options
        storm = slice(self.onset_hour, self.hours) if self.fault == "storm" else None
        table = synthetic.weather(rng, self.hours, storm)
        rows = synthetic.draw_rows(rng, table, o.rows_per_day * 2)
        if self.fault == "traffic_shift":
            rows = self._more_traffic(rows)
        logit = synthetic.true_logit(rows)
        since = rows["at"].to_numpy() >= self.onset_hour
        if self.fault == "hidden_factor":
            logit = logit + since * rng.uniform(1.0, 1.6)
        rows["y"] = (rng.random(len(rows)) < 1 / (1 + np.exp(-logit))) * 1.0
        snapshots = {m: self._train_all(rows, m) for m in self.publishes}
        served = self._serve(rows, table, snapshots)
        self._write_log(served)
        self._write_rest(snapshots)
        return self._planted()

    def _more_traffic(self, rows: pd.DataFrame) -> pd.DataFrame:
        import pandas as pd

        late = rows[(rows["at"] >= self.onset_hour) & (rows["channel"] == "partner")]
        times = int(self.rng.integers(4, 9))
        more = late.sample(len(late) * times, replace=True, random_state=int(self.rng.integers(99)))
        more = more.assign(at=more["hour"] + self.rng.random(len(more)))
        return pd.concat([rows, more]).sort_values("at", kind="stable", ignore_index=True)

    def _train_all(self, rows: pd.DataFrame, model: str) -> list[tuple[str, Trained]]:
        out, self.training = [], getattr(self, "training", [])
        for i, hour in enumerate(self.publishes[model]):
            name = f"{model}-{i + 1}"
            bad = name == self.bad_snapshot
            from_hour = hour - 12 - HISTORY * 24 + 90
            part = rows[(rows["at"] >= from_hour) & (rows["at"] < hour - 12)]
            part = part.sample(min(len(part), 3000), random_state=i).sort_index()
            day = part["hour"] // 24
            dates = {d: f"{START + timedelta(days=int(d)):%Y-%m-%d}" for d in day.unique()}
            partition = day.map(dates) + "/" + part["channel"]
            part = part.assign(partition=partition, model=model, snapshot=name)
            if bad and self.fault == "corrupted_labels":
                part = self._bad_labels(part)
            if bad and self.fault == "missing_partition":
                part = part[part["channel"] != "partner"]
            blow_up = 0.08 if bad and self.fault == "diverged" else 0.0
            trained = synthetic.train(part, part["y"].to_numpy(), i, blow_up=blow_up)
            self.training.append(part)
            out.append((name, trained))
        return out

    def _bad_labels(self, part: pd.DataFrame) -> pd.DataFrame:
        """Labels of the last days (or of one channel) are written as 1 or swapped."""
        last = sorted(part["partition"].str[:10].unique())[-int(self.rng.integers(4, 8)) :]
        some = self.rng.random(len(part)) < 0.8
        hit = part["partition"].str[:10].isin(last).to_numpy() & some
        flip = self.rng.random() < 0.5
        label = part["y"].to_numpy().copy()
        label[hit] = 1 - label[hit] if flip else 1.0
        return part.assign(y=label)

    def _serve(
        self, rows: pd.DataFrame, table: Any, snapshots: dict[str, list[tuple[str, Trained]]]
    ) -> pd.DataFrame:
        rng = self.rng
        rows = rows[(rows["at"] >= HISTORY * 24) & (rows["at"] < self.now_hour)].copy()
        rows["model"] = np.where(rng.random(len(rows)) < 0.5, "delay", "upsell")
        test = rng.random(len(rows)) < 0.3
        rows["arm"] = np.where(test, "test", "control") if self.options.arms else "all"
        since = rows["at"].to_numpy() >= self.onset_hour
        hit = since & (rng.random(len(rows)) < self.dose)
        if self.group == "input":
            context = breakages.Context(table, self.onset_hour, rng, hit)
            rows = breakages.apply(self.fault, rows, self.features, context)
        if self.fault == "infra":
            rows = breakages.defaults(rows, ("temp", "wind", "humid", "queue"), hit)
        if self.options.decoys:
            rows.loc[rows["at"] >= self.onset_hour - 40, "battery"] *= rng.uniform(0.5, 0.8)
        logit, names = np.empty(len(rows)), np.empty(len(rows), dtype=object)
        for model, published in snapshots.items():
            starts = [*self.publishes[model][1:], self.hours + 1]
            for i, (name, trained) in enumerate(published):
                low = -1 if i == 0 else self.publishes[model][i]
                here = rows["model"].eq(model).to_numpy() & (rows["at"].to_numpy() >= low)
                here &= rows["at"].to_numpy() < starts[i]
                logit[here], names[here] = trained.logit(rows[here]), name
        if self.fault == "serving_change":
            hurt = since & rows["model"].eq(self.model).to_numpy()
            hurt &= rows["arm"].eq(self.arm).to_numpy() if self.arm else True
            logit = np.where(hurt, 0.5 * logit + 1.1, logit)
        p = 1 / (1 + np.exp(-np.clip(logit, -12, 12)))
        return rows.assign(snapshot=names.astype(str), prediction=p)

    def _write_log(self, rows: pd.DataFrame) -> None:
        import pandas as pd

        time = pd.to_datetime(START.replace(tzinfo=None)) + pd.to_timedelta(rows["at"], unit="h")
        late = self.rng.exponential(self.options.label_delay_hours, len(rows))
        log = rows.drop(columns=["at", "hour", "plane"]).rename(columns={"y": "label"})
        if self.fault == "withheld_labels":
            late = late + 1000.0 * (rows["at"].to_numpy() + late >= self.onset_hour)
        log = log.assign(
            time=time.dt.as_unit("us"),
            experiment="ranker_test",
            label_time=(time + pd.to_timedelta(late + 0.2, unit="h")).dt.as_unit("us"),
        )
        log.to_parquet(self.folder / "predictions.parquet", index=False)

    def _write_rest(self, snapshots: dict[str, list[tuple[str, Trained]]]) -> None:
        import pandas as pd

        tables.write_snapshots(self.folder, self.publishes, snapshots, START)
        training = pd.concat(self.training).rename(columns={"y": "label"})
        moment = pd.to_datetime(START.replace(tzinfo=None))
        training["time"] = moment + pd.to_timedelta(training["at"], unit="h")
        training = training.drop(columns=["at", "hour", "plane"])
        training.to_parquet(self.folder / "training.parquet", index=False)
        clock = tables.Clock(START, HISTORY * 24, self.now_hour, self.onset_hour)
        tables.write_infra(self.folder, self.rng, clock, self.fault == "infra")
        tables.write_lineage(self.folder, _EDGES, _NODE_OF)
        sick = self._sick_node()
        tables.write_runs(self.folder, self.rng, clock, (self.fault, sick), self.options.decoys)

    def _sick_node(self) -> str:
        """The node that broke: the feed for a feed that stops or lags, else the maker."""
        if self.group != "input":
            return ""
        maker = _NODE_OF[self.features[0]]
        feeds = {down: up for up, down, _ in _EDGES}
        return feeds.get(maker, maker) if self.fault in ("stale", "delayed") else maker

    # -- the contract and the truth ----------------------------------------------------------

    def _planted(self) -> Planted:
        now = START + timedelta(hours=self.now_hour)
        onset = START + timedelta(hours=self.onset_hour)
        window = Window(now - timedelta(hours=6), now)
        low = START + timedelta(hours=HISTORY * 24)
        baseline = Window(max(low, now - timedelta(days=28)), window.start)
        scope = Scope(now, window, baseline, "metric", f"calibration_{self.model}")
        kind = FAULTS[self.fault].kind
        path = dict(FAULTS[self.fault].path)
        if self.group == "input" and not self.options.lineage:
            kind, path["upstream"] = "feature", "feature_only"
        names = {
            "upstream": tuple(n for n in (self._sick_node(),) if n),
            "feature": self.features,
            "training_data": (str(self.bad_snapshot),),
            "snapshot": (str(self.bad_snapshot),),
            "model": (self.model, *((self.arm,) if self.arm else ())),
            "infra": ("feature_store",),
            "traffic": ("channel=partner",),
        }.get(kind, ())
        truth = Truth(
            self.fault,
            kind,
            names,
            self.features,
            onset,
            self.dose,
            path,
            self.model,
            self.arm,
            self.bad_snapshot,
        )
        return Planted(tables.contract(self.options), self.folder, scope, truth)
