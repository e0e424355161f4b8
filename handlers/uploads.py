"""Charts on their way to Slack: uploaded unshared, embedded by their file's id."""

from __future__ import annotations

import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from analysis.evidence import Chart
from handlers.access import lost
from handlers.client import readable
from handlers.once import asked_to_wait, passes
from state.results import Results

log = structlog.get_logger()


OUTAGE_SECONDS = 15.0
"""While Slack serves nobody an upload is tried again after so long."""


class ChartNotReadyError(Exception):
    """A chart can't be shown yet; the message says why. In ``seconds`` it may be asked for again;
    0 where that is the chart's own failure, not one of Slack's limits or an outage."""

    def __init__(self, why: str, seconds: float = 0.0) -> None:
        super().__init__(why)
        self.seconds = seconds


@dataclass
class Uploads:
    """Uploads charts once and puts their files into blocks.

    After ``most_tries`` a message goes out without its chart for good, and says so.
    """

    client: WebClient
    results: Results
    most_tries: int = 8
    _quiet_until: float = 0.0
    _failed: dict[str, tuple[int, float]] = field(default_factory=dict)

    def resolve(self, blocks: list[dict[str, Any]], instead: str = "") -> list[dict[str, Any]]:
        """Blocks with ``{"type": "image", "chart": ID}`` turned into images of files.

        With ``instead``, that line takes the place of every chart, ``{shows}`` in it what one
        shows. Without, raises ChartNotReadyError while a chart can't be uploaded, and
        SlackApiError when Slack does not take the token.
        """
        ready = []
        for block in blocks:
            if block.get("type") != "image" or "chart" not in block:
                ready.append(block)
                continue
            image = {k: v for k, v in block.items() if k != "chart"}
            if instead:
                ready.append(_line(instead.format(shows=image.get("alt_text", ""))))
                continue
            ready.append({**image, "slack_file": {"id": self._file(str(block["chart"]))}})
        return ready

    def names_a_file(self, payload: dict[str, Any]) -> bool:
        """Whether a message embeds a chart."""
        return bool(_charts(payload))

    def all_there(self, payload: dict[str, Any]) -> bool:
        """Whether Slack has every chart of a message."""
        return all(self.results.file_of(chart) for chart in _charts(payload))

    def upload_ahead(self) -> bool:
        """Upload one chart that nobody has asked for yet; whether there was one.

        One that fails is tried again after ever longer pauses, and at last left to the message
        that shows it. What Slack's limits and outages hold up is waited for, and no failure.
        """
        if self._quiet_seconds:
            return False
        chart = next(filter(self._may_try, self.results.to_upload()), None)
        if chart is None:
            return False
        try:
            self._file(chart)
        except (ChartNotReadyError, SlackApiError) as error:
            if self._quiet_seconds:
                return False
            tries = self._failed.get(chart, (0, 0.0))[0] + 1
            self._failed[chart] = (tries, time.monotonic() + 2**tries)
            log.info("chart not uploaded ahead", reason=str(error), tries=tries)
            return False
        self._failed.pop(chart, None)
        return True

    @property
    def _quiet_seconds(self) -> float:
        """How long Slack takes no uploads from now on."""
        return max(0.0, self._quiet_until - time.monotonic())

    def _may_try(self, chart: str) -> bool:
        tries, again = self._failed.get(chart, (0, 0.0))
        return tries < self.most_tries and time.monotonic() >= again

    def _file(self, chart_id: str) -> str:
        file = self.results.file_of(chart_id)
        if file:
            return file
        chart = self.results.chart(chart_id)
        if chart is None:
            raise ChartNotReadyError(f"chart {chart_id[:8]} is not in the store")
        if seconds := self._quiet_seconds:
            raise ChartNotReadyError("Slack takes no uploads now", seconds)
        try:
            file = self._upload(chart)
        except (SlackApiError, OSError) as error:
            if lost(error):
                raise
            seconds = _held_up(error)
            self._quiet_until = time.monotonic() + seconds
            raise ChartNotReadyError(f"upload failed: {error}", seconds) from error
        self.results.uploaded(chart_id, file)
        return file

    def _upload(self, chart: Chart) -> str:
        name = f"hawkeye-{chart.id[:12]}.png"
        file = put(self.client, name, chart.png, alt_txt=chart.alt[:1000])
        self.client.files_completeUploadExternal(files=[{"id": file, "title": chart.title[:200]}])
        return file


def put(client: WebClient, name: str, data: bytes, **more: str) -> str:
    """Sends a file to Slack, shared with nobody yet; its id.

    Raises SlackApiError, and OSError when the bytes can't be sent.
    """
    ticket = client.files_getUploadURLExternal(filename=name, length=len(data), **more)
    request = urllib.request.Request(
        str(ticket["upload_url"]),
        data=data,
        headers={"Content-Type": "application/octet-stream"},
        method="POST",
    )
    with readable(), urllib.request.urlopen(request, timeout=30) as answer:
        answer.read()
    return str(ticket["file_id"])


def _held_up(error: SlackApiError | OSError) -> float:
    """The seconds to wait where Slack's limits or an outage are to blame; else 0."""
    wait = asked_to_wait(error) if isinstance(error, SlackApiError) else 0.0
    return wait or OUTAGE_SECONDS * passes(error)


def _charts(payload: dict[str, Any]) -> list[str]:
    return [str(block["chart"]) for block in payload.get("blocks", []) if "chart" in block]


def _line(text: str) -> dict[str, Any]:
    return {
        "type": "context",
        "elements": [{"type": "plain_text", "text": text[:2900], "emoji": False}],
    }
