"""Several workspaces: installed by OAuth, each with its own token, none reading another's."""

import time
from datetime import timedelta

import pytest

from bot.bots import Bots, listing
from state.as_text import stamp
from state.said import Sayings
from tests.page.conftest import ARGS
from tests.walk.installing import installing

WORKSPACES = """
[[slack.workspaces]]
name = "ranking"
id = "T0RANK"

[[slack.workspaces]]
name = "weather"
id = "T0WEATHER"
channel = "#weather-oncall"
"""
ROUTES = """
[[alerts.routes]]
metric = "recall"
workspace = "weather"
channel = "#weather-oncall"
"""
RANKING, WEATHER = "T0RANK", "T0WEATHER"


def two(grid):
    """Two companies' workspaces; people and channels have the same ids in both, as far as we know
    of Slack they might."""
    for team, name, channel in (
        (RANKING, "Ranking", "ml-oncall"),
        (WEATHER, "Weather", "weather-oncall"),
    ):
        workspace = grid.workspace(team, name)
        ana = workspace.add_user("ana", "Ana")
        workspace.add_channel(channel, [ana, f"U0BOT{team[1:]}"])
    grid.workspace("T0ELSE", "Somebody else")


@pytest.fixture
def stage(tmp_path):
    """Two workspaces, and one that the settings do not name; nothing is installed yet."""
    with installing(tmp_path, WORKSPACES, two, routes=ROUTES) as found:
        yield found


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """The same, for tests that install nothing."""
    with installing(tmp_path_factory.mktemp("bare"), WORKSPACES, two, routes=ROUTES) as found:
        yield found


def person(workspace):
    """The one person there."""
    return workspace.people()[0].id


def room(workspace):
    """The one channel there."""
    return next(c.id for c in workspace.channels.values() if not c.is_im)


@pytest.mark.parametrize("mode", ["http", "socket"])
def test_two_workspaces_install_and_each_walks_with_its_own_token(tmp_path, mode):
    """Alerts go where the routes say, threads are answered, and neither sees the other."""
    with installing(tmp_path, WORKSPACES, two, mode=mode, routes=ROUTES) as stage:
        walk_both(stage)


def walk_both(stage):
    """Install, alert, answer, and write in a thread."""
    ranking, weather = (stage.grid.workspaces[team] for team in (RANKING, WEATHER))
    done = stage.install(RANKING)
    assert (done.status_code, "installed in Ranking" in done.text) == (200, True), done.text
    assert "weather-oncall" in stage.install(WEATHER).text
    one, other = stage.alert(metric="precision"), stage.alert(metric="recall")
    assert one != other
    stage.shows(ranking, "It fell.", "precision")
    stage.shows(weather, "It fell.", "recall")
    assert "recall" not in stage.texts(ranking)
    assert "precision" not in stage.texts(weather)

    stage.press(weather, person(weather), "take")
    assert stage.until(lambda: stage.incident(WEATHER, other).owner == person(weather))
    stage.press(weather, person(weather), "answer:yes")
    stage.shows(weather, "One is bad.")
    assert stage.incident(RANKING, one).owner == ""
    assert stage.bots.bots[RANKING].store.load(other) is None

    root = next(m for m in weather.channel(room(weather)).messages.values() if not m.thread_ts)
    weather.say(person(weather), room(weather), "the feed is late", thread_ts=root.ts)
    kept = stage.bots.bots[WEATHER].store
    assert stage.until(lambda: [s.text for s in Sayings(kept).of(other)] == ["the feed is late"])
    assert Sayings(stage.bots.bots[RANKING].store).of(other) == []


def test_a_cancelled_a_forged_and_a_repeated_installation_say_so(bare):
    """Nothing is installed by any of them."""
    cancelled = bare.install(RANKING, answer="cancel")
    assert "You cancelled it" in cancelled.text
    elsewhere = bare.install(RANKING, state="forged")
    assert (elsewhere.status_code, "did not begin" in elsewhere.text) == (400, True)
    forged = {"state": "forged", "cookie": "slack-app-oauth-state=forged"}
    assert "used before" in bare.install(RANKING, **forged).text
    assert "did not take the code" in bare.install(RANKING, code="guessed").text
    assert bare.bots.installations.token(RANKING) is None
    assert bare.web.get(f"{bare.bots.url}/readyz").status_code == 503


def test_requests_that_slack_did_not_sign_are_refused_whatever_workspace_they_name(tmp_path):
    """And nobody can send the bot more than it would read."""
    with installing(tmp_path, WORKSPACES, two, mode="http") as stage:
        stage.install(RANKING)
        url = f"{stage.bots.url}/slack/events"
        said = {"type": "message", "channel": "C1", "ts": "1.0", "text": "hi"}
        event = {"type": "event_callback", "team_id": RANKING, "event": said}
        for body in (event, event | {"is_ext_shared_channel": True}):
            assert stage.web.post(url, json=body).status_code == 401
        assert stage.web.post(url, content=b"x" * 5_000_001).status_code == 413


def test_a_workspace_that_the_settings_do_not_name_gets_nothing(bare):
    """Else anybody who finds the page could read what is triaged."""
    refused = bare.install("T0ELSE")
    assert refused.status_code == 403
    assert "<code>id = &quot;T0ELSE&quot;</code>" in refused.text
    assert bare.grid.grant_in("T0ELSE") is None
    assert bare.grid.workspaces["T0ELSE"].apps == {}
    assert bare.bots.installations.token("T0ELSE") is None


def test_no_command_finds_what_is_another_workspaces(stage):
    """Status, lists, search, digests and exports: what is not here does not exist."""
    ranking, weather = (stage.grid.workspaces[team] for team in (RANKING, WEATHER))
    stage.install(RANKING)
    stage.install(WEATHER)
    one = stage.alert(metric="precision", title="the secret launch")
    stage.shows(ranking, "secret launch", "It fell.")
    stage.press(ranking, person(ranking), "take")
    asked = (f"status {one}", f"tree {one}", f"export {one} json", f"catch me up {one}")
    general = ("status", "incidents all", "incidents search secret", "digest", "similar")
    for line in (*asked, *general):
        weather.command(person(weather), room(weather), f"/hawkeye {line}")
    weather.open_home(person(weather))
    assert stage.until(lambda: weather.homes)
    home = str([view.body for view in weather.homes.values()])
    said = stage.whispers(weather, person(weather)) + stage.texts(weather) + home
    assert "Needs you now" in home
    assert f"I know no `{one}`" in said
    assert "secret launch" not in said
    assert "`precision`" not in home
    ranking.command(person(ranking), room(ranking), "/hawkeye incidents search secret")
    assert "launch" in stage.whispers(ranking, person(ranking))


def test_what_comes_before_the_installation_is_posted_after_it(stage):
    """The channel's id is learnt then, so that its threads are known as ours."""
    weather = stage.grid.workspaces[WEATHER]
    incident = stage.alert(metric="recall")
    assert stage.until(lambda: stage.incident(WEATHER, incident).current.evidence)
    assert stage.bots.absent() == ["ranking", "weather"]
    lines = list(listing(stage.bots.settings))
    assert lines[1].startswith("weather T0WEATHER: not installed: open /slack/install, ")
    assert "to be posted" in lines[1]
    stage.install(WEATHER)
    stage.shows(weather, "It fell.")
    [place] = stage.bots.bots[WEATHER].store.places(incident)
    assert place.channel == room(weather)
    assert "installed in Weather since" in list(listing(stage.bots.settings))[1]
    assert stage.bots.absent() == ["ranking"]


def test_the_next_life_of_the_bots_knows_where_it_is_installed(tmp_path):
    """Tokens outlive the process; nobody installs twice."""
    with installing(tmp_path, WORKSPACES, two, routes=ROUTES) as stage:
        stage.install(RANKING)
        path = stage.bots.settings.state_path
        again = Bots(stage.bots.settings, runner=stage.bots.runner)
        works = {key: bot.access.works for key, bot in again.bots.items()}
        assert works == {RANKING: True, WEATHER: False}
        assert path.stat().st_mode & 0o077 == 0


def figure(stage, name, key):
    """A figure for Prometheus."""
    text = stage.web.get(f"{stage.bots.url}/metrics").text
    [line] = [t for t in text.splitlines() if t.startswith(f'{name}{{workspace="{key}"}}')]
    return float(line.split()[1])


@pytest.mark.parametrize("end", ["uninstall", "revoke"])
def test_a_workspace_that_takes_the_app_out_loses_nothing_and_stops_nobody_else(stage, end):
    """Told by Slack or found out by posting: its messages wait, others go on, all is said."""
    ranking, weather = (stage.grid.workspaces[team] for team in (RANKING, WEATHER))
    stage.install(RANKING)
    stage.install(WEATHER)
    getattr(stage.grid, end)(WEATHER)
    bot = stage.bots.bots[WEATHER]
    if end == "uninstall":
        assert stage.until(lambda: not stage.bots.installations.token(WEATHER))
    incident = stage.alert(metric="recall")
    stage.alert(metric="precision")
    stage.shows(ranking, "It fell.")
    assert stage.until(lambda: not bot.access.works)
    assert stage.until(lambda: stage.incident(WEATHER, incident).current.evidence)
    assert "It fell." not in stage.texts(weather)
    assert bot.access.problem()
    assert figure(stage, "hawkeye_slack_reachable", WEATHER) == 0
    assert figure(stage, "hawkeye_slack_reachable", RANKING) == 1
    assert figure(stage, "hawkeye_messages_waiting", WEATHER) >= 2
    assert stage.web.get(f"{stage.bots.url}/readyz").status_code == 200
    assert stage.install(WEATHER).status_code == 200
    stage.shows(weather, "It fell.")
    assert "chart could not be uploaded" not in stage.texts(weather)


def test_a_token_that_expires_is_renewed_before_its_end(tmp_path):
    """Slack's token rotation: the old one runs out, and nobody notices."""
    with installing(tmp_path, WORKSPACES, two, routes=ROUTES, rotates=True) as stage:
        stage.install(RANKING)
        ranking, kept = stage.grid.workspaces[RANKING], stage.bots.installations
        old = kept.of(RANKING)
        stage.bots.renew()
        assert kept.token(RANKING) == old.bot_token
        old.bot_token_expires_at = int(time.time()) + 3600
        kept.save_bot(old)
        stage.bots.renew()
        assert kept.token(RANKING) != old.bot_token
        assert kept.of(RANKING).bot_token_expires_at > time.time() + 36_000
        stage.grid.expired.add(old.bot_token)
        stage.alert(metric="precision")
        stage.shows(ranking, "It fell.")
        ranking.command(person(ranking), room(ranking), "/hawkeye status")
        assert "1 open incident" in stage.whispers(ranking, person(ranking))


def test_each_workspace_is_shown_the_monitors_whose_alerts_go_there(bare):
    """And looks only where it would tell somebody."""
    seen = {key: [str(s) for s in bot._watched()[0]] for key, bot in bare.bots.bots.items()}
    assert seen == {RANKING: ["metric:precision"], WEATHER: ["metric:recall"]}


def test_a_direct_message_waits_for_the_installation_too(stage):
    """It is owed until Slack has it."""
    weather, bot = stage.grid.workspaces[WEATHER], stage.bots.bots[WEATHER]
    incident = stage.alert(metric="recall")
    bot.conversation.write(person(weather), incident, {"text": "your shift ends"})
    later = "SELECT 1 FROM due WHERE kind = 'write' AND at > ?"
    soon = stamp(bot.clock() + timedelta(seconds=20))
    assert stage.until(lambda: bot.store.rows(later, soon))
    stage.install(WEATHER)
    bot.store.db.execute("UPDATE due SET at = '' WHERE kind = 'write'")
    bot.work.loop.wake()
    stage.shows(weather, "your shift ends")


@pytest.mark.browser
def test_a_browser_installs_it_on_a_phone(stage, chromium):
    """With its real cookies: allowed, cancelled, and begun again."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        page = browser.new_page(viewport={"width": 390, "height": 844})
        page.goto(f"{stage.bots.url}/slack/install")
        page.get_by_text("Cancel").click()
        assert "You cancelled it" in page.inner_text("body")
        page.get_by_text("Begin again").click()
        page.select_option("select", WEATHER)
        page.get_by_text("Allow").click()
        assert "HawkEye is installed in Weather" in page.inner_text("body")
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        browser.close()
    assert stage.bots.installations.token(WEATHER)
