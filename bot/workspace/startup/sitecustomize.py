"""Python runs this at the start of an app of ``hawkeye sandbox``: Slack's clients then call
``SLACK_API_URL`` where the app names no address of its own."""

import contextlib
import importlib
import os
from typing import Any

SLACK = "https://slack.com/api/"


def point(client: Any, url: str) -> None:
    """Give a class of clients another default for ``base_url``."""
    defaults = client.__init__.__defaults__ or ()
    client.__init__.__defaults__ = tuple(url if one == SLACK else one for one in defaults)


def point_all(url: str) -> None:
    """All classes of clients that are installed here."""
    for module, name in (
        ("slack_sdk.web.base_client", "BaseClient"),
        ("slack_sdk.web.async_base_client", "AsyncBaseClient"),
        ("slack_sdk.web.legacy_base_client", "LegacyBaseClient"),
    ):
        with contextlib.suppress(ImportError):
            point(getattr(importlib.import_module(module), name), url)


if os.environ.get("SLACK_API_URL"):
    point_all(os.environ["SLACK_API_URL"])
