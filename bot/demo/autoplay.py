"""The on-call who accepts every proposal: the same page, the same clicks, no person."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from bot.headless import accepted
from bot.report import conclusion
from handlers.messages.conclusion import name as conclusion_name
from state.incident import Incident, Step

if TYPE_CHECKING:
    from bot.demo.faults import Truth
    from bot.demo.practice import Demo

MOST_STEPS = 30
STEP_SECONDS = 60.0
RECOVERY_SECONDS = 120.0
FOUND, OTHER = 0, 3
NAMELESS = ("false_alarm", "unknown", "world")
"""Conclusions that blame nobody by name."""


@dataclass
class Player:
    """Ana, who reads the newest step in the thread and presses its proposed button."""

    demo: Demo
    incident_id: str
    printed: set[int] = field(default_factory=set)

    @property
    def incident(self) -> Incident:
        """The incident as it is now."""
        found = self.demo.bot.store.load(self.incident_id)
        assert found is not None
        return found

    @property
    def ana(self) -> str:
        """Her id."""
        return self.demo.people["ana"].id

    def wait(self, what: Any, seconds: float, hope: str) -> Any:
        """Wait for something in the workspace; TimeoutError says what was hoped for."""
        try:
            return self.demo.workspace.wait_for(what, seconds)
        except TimeoutError:
            # The workspace names the predicate, and with it everything that the player holds.
            raise TimeoutError(f"{hope} did not happen within {seconds:.0f} s") from None

    @property
    def channel(self) -> str:
        """Where its thread is."""
        return self.demo.bot.store.places(self.incident_id)[0].channel

    def buttons(self, name: str) -> tuple[str, list[str]]:
        """The ts of one of the incident's messages, and the buttons that it shows."""
        ts = self.demo.bot.conversation.outbox.message(self.incident_id, self.channel, name)
        message = self.demo.workspace.channel(self.channel).messages.get(ts) if ts else None
        return ts, _action_ids(message.all_blocks()) if message else []

    def press(self, name: str, action_id: str) -> None:
        """Press a button of one of the incident's messages, once the page shows it."""
        hope = f"a button {action_id!r} on {name}"
        self.wait(lambda: action_id in self.buttons(name)[1], STEP_SECONDS, hope)
        ts, _ = self.buttons(name)
        self.demo.workspace.click(self.ana, self.channel, ts, action_id=action_id)

    def shown(self, name: str) -> None:
        """Wait until a step's message shows branches to choose from."""

        def there() -> bool:
            return any(a.startswith("answer:") for a in self.buttons(name)[1])

        self.wait(there, STEP_SECONDS, f"evidence on {name}")

    def decide(self) -> Step | None:
        """Wait for the next step that a person has to decide; None when the walk is over."""
        found = self.wait(self._decidable, STEP_SECONDS, "the next step")
        return found if isinstance(found, Step) else None

    def walk(self) -> None:
        """Accept step after step until there is a conclusion."""
        for _ in range(MOST_STEPS):
            step = self.decide()
            if step is None:
                return
            self._print(step)
            verdict = accepted(step, self.demo.bot.conversation.tree)
            self.press(f"step-{step.number}", f"answer:{verdict}")
            self.wait(
                lambda s=step: self.incident.steps[s.number - 1].answer,
                STEP_SECONDS,
                f"the answer to step {step.number}",
            )

    def _decidable(self) -> Step | str | None:
        incident = self.incident
        if incident.status != "diagnosing":
            return "over"
        step = incident.current
        return step if step and step.status in ("proposed", "failed") else None

    def _print(self, step: Step) -> None:
        tree = self.demo.bot.conversation.tree
        said = step.evidence.headline if step.evidence else step.error
        sure = f"{step.evidence.confidence:.0%}" if step.evidence else "–"
        click.echo(f"{step.number}. {tree.node(step.node).title} {said} [{sure}]")

    def mitigate(self) -> None:
        """Press the first mitigation that the conclusion offers, watch what it does, and resolve
        when the metric is back."""
        incident, tree = self.incident, self.demo.bot.conversation.tree
        targets = [s for cause in incident.causes for s in (*cause.suspects, *cause.along)]
        offered = self.demo.bot.mitigations.against(targets)
        if not offered:
            return
        action, suspect = offered[0]
        self.press(conclusion_name(incident, tree), "mitigate:0")
        self.wait(lambda: _status(self.incident) == "planned", STEP_SECONDS, "the dry run")
        click.echo(
            f"Mitigation: {action.title} {suspect.name}. {self.incident.mitigations[-1].plan}"
        )
        self.press("mitigation-1", "confirm")
        self.wait(self._watched, RECOVERY_SECONDS, "an end of the watching")
        step = self.incident.current
        if step is not None and step.evidence is not None:
            click.echo(f"Recovery: {step.evidence.verdict}: {step.evidence.headline}")
            if step.evidence.verdict == "recovered":
                self.press(f"step-{step.number}", "answer:recovered")
                self.wait(lambda: not self.incident.is_open, STEP_SECONDS, "the end")
                click.echo(f"{self.incident.id} is {self.incident.outcome}.")

    def _watched(self) -> bool:
        step = self.incident.current
        failed = _status(self.incident) == "failed"
        return failed or (step is not None and step.status in ("proposed", "failed"))


def autoplay(demo: Demo) -> int:
    """Play one incident through; the exit code that says whether the truth was found."""
    player = Player(demo, demo.fire())
    player.walk()
    found = conclusion(player.incident)
    truth = demo.world.truth
    causes = ", ".join(f"{c['kind']} {c['name']}" for c in found["causes"]) or "no cause named"
    click.echo(f"Conclusion: {found['kind']} ({causes})")
    more = f" and {len(truth.names) - 3} more names" if len(truth.names) > 3 else ""
    click.echo(f"Planted:    {truth.kind} ({', '.join(truth.names[:3]) or 'nothing'}{more})")
    for other in truth.also:
        click.echo(f"       and  {other.kind} ({', '.join(other.names[:3])})")
    right = all_right(found, truth)
    if right:
        player.mitigate()
    click.echo("The planted cause was found." if right else "That is not what was planted.")
    return FOUND if right else OTHER


def is_right(found: dict[str, Any], kind: str, names: tuple[str, ...]) -> bool:
    """Whether a conclusion is the planted one: the same kind, and one of its causes by name."""
    if found["kind"] != kind or kind in NAMELESS:
        return bool(found["kind"] == kind)
    named = [str(c["name"]) for c in found["causes"]]
    return not names or any(_same(have, want) for have in named for want in names)


def all_right(found: dict[str, Any], truth: Truth) -> bool:
    """Whether a conclusion names the planted cause, and every other one of the same incident."""
    return all(is_right(found, t.kind, t.names) for t in (truth, *truth.also))


def _same(have: str, want: str) -> bool:
    """Equal, or one is the other with its place spelled out ("feature_store/timeouts")."""
    return have == want or have.startswith(f"{want}/") or want.startswith(f"{have}/")


def _status(incident: Incident) -> str:
    return incident.mitigations[-1].status if incident.mitigations else ""


def _action_ids(blocks: list[dict[str, Any]]) -> list[str]:
    return [
        str(element.get("action_id", ""))
        for block in blocks
        for element in block.get("elements", [])
        if isinstance(element, dict)
    ]
