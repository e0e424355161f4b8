"""Who may read a channel, and what an org-wide installation has to be told."""

import pytest
from slack_sdk.errors import SlackApiError

from handlers.directory import Directory
from tests.handlers.refusal import refusal

PEOPLE = {
    "U1": {"team_id": "T1"},
    "U2": {"team_id": "T9", "is_stranger": True},
    "UBARE": {"name": "bare"},
    "UGUEST": {"team_id": "T1", "is_restricted": True},
    "W1": {"team_id": "T1", "enterprise_user": {"enterprise_id": "E1", "teams": ["T1"]}},
    "W2": {"team_id": "T2", "enterprise_user": {"enterprise_id": "E1", "teams": ["T2"]}},
    "W12": {"team_id": "T2", "enterprise_user": {"enterprise_id": "E1", "teams": ["T1", "T2"]}},
}
CHANNELS = {
    "CPUBLIC": {"context_team_id": "T1"},
    "CPRIVATE": {"context_team_id": "T1", "is_private": True},
    "CCONNECT": {"context_team_id": "T1", "shared_team_ids": ["T1", "T9"], "is_ext_shared": True},
    "CBOTH": {"context_team_id": "T1", "internal_team_ids": ["T1", "T2"], "is_org_shared": True},
    "CBARE": {"context_team_id": "E1", "shared_team_ids": ["T2"]},
    "CORG": {"context_team_id": "T1", "is_global_shared": True},
    "CARCHIVED": {"context_team_id": "T1", "is_archived": True},
}
MEMBERS = {"CPRIVATE": ["U1"], "CCONNECT": ["U1", "U2"]}


class Slack:
    """Answers look-ups as documented; refuses lists of an org without a team."""

    token = "xoxb-1"

    def __init__(self, org=""):
        self.org = org

    def auth_test(self):
        """Who the bot is."""
        me = {"user_id": "UBOT", "bot_id": "B", "team_id": self.org or "T1"}
        answer = type("Answer", (), {})()
        answer.data = me | {"enterprise_id": self.org, "is_enterprise_install": bool(self.org)}
        return answer

    def conversations_info(self, channel):
        """The channel, if the bot may know of it."""
        if channel not in CHANNELS:
            raise SlackApiError("no", {"error": "channel_not_found"})
        return {"channel": CHANNELS[channel]}

    def conversations_members(self, channel, **_):
        """Its members."""
        return {"members": MEMBERS.get(channel, [])}

    def users_info(self, user):
        """The person, if Slack knows them."""
        if user not in PEOPLE:
            raise SlackApiError("no", {"error": "user_not_found"})
        return {"user": PEOPLE[user]}

    def auth_teams_list(self, cursor, **_):
        """The org's workspaces, a page each."""
        pages = {"": ([{"id": "T1"}], "next"), "next": ([{"id": "T2"}], "")}
        teams, following = pages[cursor]
        return {"teams": teams, "response_metadata": {"next_cursor": following}}

    def conversations_list(self, team_id, **_):
        """The channels of a workspace."""
        if self.org and not team_id:
            raise SlackApiError("no", {"error": "missing_argument"})
        return {"channels": [{"name": f"only-{team_id}", "id": f"C{team_id}"}, self._same(team_id)]}

    def _same(self, team_id):
        return {"name": "same", "id": f"CSAME{team_id}"}

    def usergroups_users_list(self, usergroup, team_id):
        """The group is one of T2."""
        if team_id != "T2":
            raise SlackApiError("no", {"error": "no_such_subteam"})
        return {"users": ["W2"]}


@pytest.mark.parametrize(
    ("channel", "readers"),
    [
        ("CPUBLIC", {"U1", "W1", "W12"}),
        ("CPRIVATE", {"U1"}),
        ("CCONNECT", {"U1", "U2", "W1", "W12"}),
        ("CBOTH", {"U1", "W1", "W2", "W12"}),
        ("CBARE", {"W2", "W12"}),
        ("CORG", {"U1", "W1", "W2", "W12"}),
    ],
)
def test_a_channel_is_read_by_its_workspaces_full_members_and_by_who_is_in_it(channel, readers):
    """Guests, strangers of Slack Connect and an org's other workspaces see what they are in."""
    directory = Directory(Slack("E1"))
    assert {u for u in (*PEOPLE, "UUNKNOWN") if directory.may_read(channel, u)} == readers
    assert Directory(Slack()).may_read("CPUBLIC", "UBARE")


@pytest.mark.parametrize(
    ("channel", "can"),
    [("CPUBLIC", True), ("CPRIVATE", False), ("CARCHIVED", False), ("CUNKNOWN", False)],
)
def test_the_bot_joins_public_channels_by_itself_and_no_others(channel, can):
    """Slack does not tell it of private ones that it is not in; archived ones take nobody."""
    assert Directory(Slack()).open_to_all(channel) == can


def test_an_org_is_asked_workspace_by_workspace():
    """Some methods refuse an org's token that does not say which workspace is meant."""
    directory = Directory(Slack("E1"))
    assert directory.teams() == ("T1", "T2")
    assert directory.channel("#only-T2") == "CT2"
    assert directory.channel("#same") == "CSAMET1"
    assert directory.channel("T2/#same") == "CSAMET2"
    assert directory.channel("T2/#only-T1") == "T2/#only-T1"
    assert directory.members(["S1"]) == {"W2"}
    assert [directory.team(c) for c in ("CPUBLIC", "CBARE", "T2/#new")] == ["T1", "T2", "T2"]


def test_who_the_bot_is_is_not_forgotten_while_slack_is_away(monkeypatch):
    """Else every click after ten minutes would be refused."""
    client = Slack()
    directory = Directory(client)
    assert directory.me()["user_id"] == "UBOT"
    monkeypatch.setattr(Slack, "auth_test", lambda self: 1 / 0)
    monkeypatch.setattr("handlers.directory.time.monotonic", lambda: 1e9)
    assert directory.me()["user_id"] == "UBOT"


def test_without_a_token_nothing_is_asked_and_nothing_remembered():
    """The answer is known as soon as there is one."""
    client = Slack()
    client.token = None
    directory = Directory(client)
    assert directory.channel("#same") == "#same"
    client.token = "xoxb-2"
    assert directory.channel("#same") == "CSAMENone"


@pytest.mark.parametrize(
    ("about", "person"),
    [
        ({}, True),
        ({"is_restricted": True}, True),
        ({"is_bot": True}, False),
        ({"deleted": True}, False),
    ],
)
def test_an_app_and_somebody_who_has_left_can_take_nothing_over(monkeypatch, about, person):
    """Guests can; whom Slack does not tell about may be there; Slackbot is no bot to Slack."""
    monkeypatch.setitem(PEOPLE, "UONE", about)
    found = Directory(Slack())
    assert found.is_person("UONE") is person
    assert found.is_person("UUNKNOWN")
    assert not found.is_person("USLACKBOT")


class Large(Slack):
    """A workspace of many channels, of which Slack tells ``allowed`` pages, then asks to wait."""

    def __init__(self, allowed):
        super().__init__()
        self.allowed, self.asked = allowed, 0

    def conversations_list(self, cursor, limit, **_):
        """A page of 2,500 channels."""
        self.asked += 1
        if self.allowed == 0:
            raise refusal("ratelimited", 429, {"Retry-After": "30"})
        self.allowed -= 1
        first = int(cursor or 0)
        page = [{"name": f"n{n}", "id": f"C{n}"} for n in range(first, min(2500, first + limit))]
        following = str(first + limit) if first + limit < 2500 else ""
        return {"channels": page, "response_metadata": {"next_cursor": following}}


def test_the_channels_of_a_large_workspace_are_read_in_few_calls():
    """Slack allows twenty a minute."""
    client = Large(20)
    assert Directory(client).channel("#n2499") == "C2499"
    assert client.asked == 3


def test_what_slack_told_before_it_asked_to_wait_is_used_until_it_may_be_asked_again(monkeypatch):
    """It is not all there is; and Slack is left alone as long as it wants."""
    clock = [0.0]
    monkeypatch.setattr("handlers.directory.time.monotonic", lambda: clock[0])
    client = Large(1)
    directory = Directory(client)
    assert directory.channel("#n7") == "C7"
    assert directory.channel("#n2000") == "#n2000"
    assert client.asked == 2
    client.allowed, clock[0] = 20, 31.0
    assert directory.channel("#n2000") == "C2000"
