"""What the console asks and tells in a dialog: a refused log-on, and why it stopped."""

from __future__ import annotations

from hvtui.model.change import Change
from hvtui.model.link import Link, LinkStatus
from hvtui.ui.credential import CredentialScreen
from hvtui.ui.notice import NoticeScreen
from hvtui.ui.overview import Overview
from tests.support.world import DirectFeed
from tests.ui.console import console, lines, settled, text


class RefusedFeed(DirectFeed):
    """A feed whose credential was refused."""

    refusal = ""
    username = "CORP\\ops[/x]"

    def give_credential(self, username: str, password: str) -> None:
        self.given = [*getattr(self, "given", []), (username, password)]
        self.refusal = ""


async def test_a_refused_log_on_asks_once_and_hands_the_password_over_once() -> None:
    feed = RefusedFeed.load("healthy")
    assert isinstance(feed, RefusedFeed)
    feed.refusal = "HV01 refused the log-on of CORP\\ops[/x]"
    async with console(feed=feed) as (app, pilot, _):
        await settled(pilot, lambda: isinstance(app.screen, CredentialScreen))
        assert "HV01 refused the log-on" in text(app)
        await pilot.press(*"pa]ss", "enter")
        await settled(pilot, lambda: isinstance(app.screen, Overview))
        assert getattr(feed, "given", None) == [("CORP\\ops[/x]", "pa]ss")]
        assert "pa]ss" not in text(app)


async def test_a_refused_log_on_left_alone_is_not_asked_again_by_itself() -> None:
    feed = RefusedFeed.load("healthy")
    assert isinstance(feed, RefusedFeed)
    feed.refusal = "HV01 refused the log-on"
    async with console(feed=feed) as (app, pilot, _):
        await settled(pilot, lambda: isinstance(app.screen, CredentialScreen))
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, Overview))
        app._each_second()
        await pilot.pause(0.1)
        assert isinstance(app.screen, Overview)
        assert not hasattr(feed, "given")
        await pilot.press("r")
        await settled(pilot, lambda: isinstance(app.screen, CredentialScreen))


async def test_a_stop_is_told_whole_once_with_the_command_that_helps() -> None:
    feed = DirectFeed.load("healthy")
    async with console(feed=feed, size=(80, 24)) as (app, pilot, _):
        link = Link(status=LinkStatus.STOPPED, text="Another cluster [/x] answers", hint="Accept it: hvtui accept lab")
        feed._tell(feed.state.set_link("", link))
        await settled(pilot, lambda: isinstance(app.screen, NoticeScreen))
        assert "Another cluster [/x] answers" in text(app)
        assert "hvtui accept lab" in text(app)
        await pilot.press("escape")
        feed._tell(Change(cluster=True))
        await settled(pilot, lambda: "Another cluster [/x] answers" in lines(app)[1])
        await pilot.pause(0.1)
        assert isinstance(app.screen, Overview)
