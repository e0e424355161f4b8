"""An engine's address without what is secret in it, as it may stand in a file."""

from __future__ import annotations

import re
from urllib.parse import unquote

_USER = re.compile(r"(://[^/?#:@]*):[^/?#]*@")
_SECRET = re.compile(r"(passw|passphrase|passcode|pwd|token|secret|key|credential)[^=&;]*=", re.I)
"""The end of a setting's name; some addresses have settings within the value of another."""
_ELSEWHERE = {
    "postgres": "export PGPASSWORD, or write ~/.pgpass",
    "duckdb": "export motherduck_token",
    "databricks": "export DATABRICKS_TOKEN",
    "spark": "write it into spark-defaults.conf",
}
"""Where drivers read a secret from that is not in the address."""
_ALIKE = {"postgresql": "postgres", "md": "duckdb"}


def without_secrets(url: str) -> str:
    """The address without its user's password and settings that are called like a secret."""
    head, _, query = _USER.sub(r"\1@", url).partition("?")
    kept = "&".join(each for each in query.split("&") if not _SECRET.search(unquote(each)))
    return f"{head}?{kept}" if kept else head


def left_out(url: str) -> str:
    """A sentence on what is not written down, and where it is read from; "" where nothing is."""
    if without_secrets(url) == url:
        return ""
    scheme = url.partition("://")[0]
    where = _ELSEWHERE.get(_ALIKE.get(scheme, scheme), "see docs/engines.md")
    return f"The address is without its password or token: {where}."
