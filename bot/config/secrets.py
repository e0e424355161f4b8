"""What the environment holds."""

from __future__ import annotations

from pydantic import Field, SecretStr

from bot.config.section import Section
from handlers.alerts.authentication import Keys


class Secrets(Section):
    """What comes from the environment alone, so that no token lies in a file."""

    slack_bot_token: SecretStr | None = Field(default=None, alias="SLACK_BOT_TOKEN")
    """The bot's token, `xoxb-…`; with `[[slack.workspaces]]` each has its own instead."""
    slack_app_token: SecretStr | None = Field(default=None, alias="SLACK_APP_TOKEN")
    """The app-level token for Socket Mode, `xapp-…`; needed when `mode` is `socket`."""
    slack_client_id: str | None = Field(default=None, alias="SLACK_CLIENT_ID")
    """The app's client id, under "Basic Information"; needed with `[[slack.workspaces]]`."""
    slack_client_secret: SecretStr | None = Field(default=None, alias="SLACK_CLIENT_SECRET")
    """The app's client secret; needed with `[[slack.workspaces]]`."""
    slack_signing_secret: SecretStr | None = Field(default=None, alias="SLACK_SIGNING_SECRET")
    """Proves that a request is Slack's; needed when `mode` is `http`."""
    slack_api_url: str = Field(default="https://slack.com/api/", alias="SLACK_API_URL")
    """The base address of Slack's Web API; another one for a local workspace."""
    alerts_token: SecretStr | None = Field(default=None, alias="HAWKEYE_ALERTS_TOKEN")
    """What `POST /alerts/…` must carry as a bearer token; without it, alerts are refused."""
    pagerduty_secret: SecretStr | None = Field(default=None, alias="HAWKEYE_PAGERDUTY_SECRET")
    """The secret of PagerDuty's webhook subscription, which signs what it sends; several are
    parted by commas."""
    pagerduty_token: SecretStr | None = Field(default=None, alias="HAWKEYE_PAGERDUTY_TOKEN")
    """A read-only REST API key of PagerDuty: who is on call."""
    pagerduty_routing_keys: SecretStr | None = Field(
        default=None, alias="HAWKEYE_PAGERDUTY_ROUTING_KEYS"
    )
    """Integration keys of PagerDuty's Events API v2 by owner, `ranking=R0…,weather=R1…`; `*=R2…` is
    for every other owner."""
    grafana_secret: SecretStr | None = Field(default=None, alias="HAWKEYE_GRAFANA_SECRET")
    """The HMAC secret of Grafana's webhook contact point; several are parted by commas."""

    @property
    def routing_keys(self) -> dict[str, str]:
        """PagerDuty's integration keys by owner; "*" stands for every other owner."""
        pairs = (part.partition("=") for part in _several(self.pagerduty_routing_keys))
        return {owner.strip(): key.strip() for owner, mark, key in pairs if mark and key.strip()}

    @property
    def keys(self) -> Keys:
        """What senders of alerts have to know."""
        secrets = {"pagerduty": self.pagerduty_secret, "grafana": self.grafana_secret}
        return Keys(
            _plain(self.alerts_token), {name: _several(given) for name, given in secrets.items()}
        )


def _plain(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _several(secret: SecretStr | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in _plain(secret).split(",") if part.strip())
