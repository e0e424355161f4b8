"""An org-wide installation: one token for several workspaces of an org."""

import pytest

from bot.app import Bot
from state.incident import Alert
from tests.state.toys import TOY
from tests.walk.installing import installing
from tests.walk.stage import settings_in

SETTINGS = """
[[slack.workspaces]]
name = "ranking"
id = "T0RANK"
org = "E0ACME"

[[slack.workspaces]]
name = "weather"
id = "T0WEATHER"
org = "E0ACME"
"""
ROUTES = """
[[alerts.routes]]
metric = "recall"
workspace = "weather"
channel = "#ml-oncall"
"""
ORG, RANKING, WEATHER, THIRD = "E0ACME", "T0RANK", "T0WEATHER", "T0THIRD"
BOT = "W0BOT0ACME"


def org(grid):
    """Three workspaces with channels of one name; the settings name two of them."""
    for team in (RANKING, WEATHER, THIRD):
        workspace = grid.workspace(team, org=ORG)
        person = workspace.add_user(team.lower(), team)
        workspace.add_channel("ml-oncall", [person, BOT])
    grid.workspace("T0OTHER", org="E0OTHER")
    weather = grid.workspaces[WEATHER]
    weather.add_usergroup("oncall", [weather.people()[0].id])


@pytest.fixture
def stage(tmp_path):
    """The org, with HawkEye installed."""
    with installing(tmp_path, SETTINGS, org, routes=ROUTES) as found:
        done = found.install(ORG)
        assert "Choose the workspaces" in done.text
        yield found


def here(stage, team):
    """A workspace, its one person, its one channel."""
    workspace = stage.grid.workspaces[team]
    return workspace, workspace.people()[0].id, workspace.channel("ml-oncall").id


@pytest.mark.parametrize("mode", ["http", "socket"])
def test_an_org_installs_once_and_every_workspace_keeps_what_is_its_own(tmp_path, mode):
    """Threads, clicks, forms, mentions, Home and charts, with enterprise ids in every payload."""
    with installing(tmp_path, SETTINGS, org, mode=mode, routes=ROUTES) as stage:
        stage.install(ORG)
        hand_over(stage, walk_in_the_org(stage))
        use_it_where_the_settings_do_not_name(stage)


def walk_in_the_org(stage):
    """An alert to each of two workspaces; a walk in one, questions about the other, which is
    given back."""
    ranking, ana, room = here(stage, RANKING)
    weather, bo, other = here(stage, WEATHER)
    assert list(stage.bots.bots) == [ORG]
    one = stage.alert(metric="precision", title="the secret launch")
    two = stage.alert(metric="recall", title="the feed")
    stage.shows(ranking, "It fell.", "secret launch")
    stage.shows(weather, "It fell.", "the feed", "slack_file")
    assert "secret launch" not in stage.texts(weather)

    stage.press(weather, bo, "take")
    assert stage.until(lambda: stage.incident(ORG, two).owner == bo)
    stage.press(weather, bo, "answer:yes")
    stage.shows(weather, "One is bad.")
    stage.press(weather, bo, "choose")
    assert stage.until(lambda: weather.modal(bo))
    [root] = [m for m in weather.channel(other).messages.values() if "the feed" in m.text]
    weather.say(bo, other, f"<@{BOT}> note the feed is late", thread_ts=root.ts)
    assert stage.until(lambda: stage.incident(ORG, two).notes)

    for line in ("incidents all", f"status {one}", "incidents search secret"):
        weather.command(bo, other, f"/hawkeye {line}")
    weather.open_home(bo)
    assert stage.until(lambda: weather.homes)
    home = str([view.body for view in weather.homes.values()])
    said = stage.whispers(weather, bo) + home
    assert two in said
    assert f"I know no `{one}`" in said
    assert "secret launch" not in said
    ranking.command(ana, room, f"/hawkeye status {one}")
    assert "secret launch" in stage.whispers(ranking, ana)
    return one


def use_it_where_the_settings_do_not_name(stage):
    """The org's admin chose the workspace; its threads open where they are asked for."""
    third, cy, room = here(stage, THIRD)
    third.command(cy, room, "/hawkeye triage precision")
    stage.shows(third, "It fell.")
    third.shortcut(cy, "start_triage")
    assert stage.until(lambda: third.modal(cy))


def hand_over(stage, one):
    """From one workspace to another: then both see it, and both show one state."""
    ranking, ana, _ = here(stage, RANKING)
    weather, bo, other = here(stage, WEATHER)
    stage.press(ranking, ana, "take")
    assert stage.until(lambda: stage.incident(ORG, one).owner == ana)
    room = ranking.channel("ml-oncall").id
    ranking.command(ana, room, f"/hawkeye handoff {one} <@{bo}|bo> <#{other}|ml-oncall>")
    stage.shows(weather, "secret launch", "asks")
    stage.press(weather, bo, "accept")
    assert stage.until(lambda: stage.incident(ORG, one).owner == bo)
    stage.shows(ranking, f"<@{bo}> has it")


def test_an_org_that_takes_the_app_out_stops_all_of_its_workspaces(stage):
    """Until it is installed again."""
    weather, _, _ = here(stage, WEATHER)
    stage.grid.uninstall(ORG)
    bot = stage.bots.bots[ORG]
    assert stage.until(lambda: not bot.access.works)
    stage.alert(metric="recall")
    assert stage.web.get(f"{stage.bots.url}/readyz").status_code == 503
    assert stage.install("E0OTHER").status_code == 403
    assert stage.grid.grant_in("T0OTHER") is None
    stage.install(ORG)
    stage.shows(weather, "It fell.")


def test_a_workspace_that_the_admin_adds_later_gets_what_waited_for_it(tmp_path):
    """At once: Slack says that it was added."""
    with installing(tmp_path, SETTINGS, org, routes=ROUTES) as stage:
        stage.grid.withheld.add(WEATHER)
        stage.install(ORG)
        stage.alert(metric="recall")
        outbox = stage.bots.bots[ORG].conversation.outbox
        assert stage.until(lambda: any(o.attempts for o in outbox.owed(1e12)))
        stage.grid.add(WEATHER)
        stage.shows(stage.grid.workspaces[WEATHER], "It fell.")


def test_the_one_bot_token_of_the_environment_may_be_an_orgs(tmp_path, stage):
    """A workspace's channel is found though the token is for all of them."""
    ranking, _, room = here(stage, RANKING)
    token = stage.bots.installations.token(ORG)
    environment = {
        "SLACK_BOT_TOKEN": token,
        "SLACK_APP_TOKEN": stage.grid.app.app_token,
        "SLACK_API_URL": stage.server.api_url,
    }
    (tmp_path / "one").mkdir()
    settings = settings_in(tmp_path / "one", "socket", 3000, environment)
    bot = Bot(settings, tree=TOY, runner=stage.bots.runner)
    alert = Alert("test", "k", "metric", "precision", "the launch", bot.clock())
    incident = bot.conversation.open(alert)
    assert [p.channel for p in bot.store.places(incident.id)] == [room]
    assert incident.alert.team == RANKING
    bot.sender.send_owed()
    assert "the launch" in stage.texts(ranking)
    bot.end()
