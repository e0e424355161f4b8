"""What people type arrives as Slack's composer sends it: text, rich_text block, client_msg_id."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.workspace.richtext import pieces, rich_text
from handlers.blockkit import problems


def text(words, **style):
    """A text element."""
    return {"type": "text", "text": words} | ({"style": style} if style else {})


@pytest.mark.parametrize(
    ("typed", "elements"),
    [
        ("plain &amp; simple", [text("plain & simple")]),
        (
            "<@U0ANA> see <#C0GENERAL|general>",
            [
                {"type": "user", "user_id": "U0ANA"},
                text(" see "),
                {"type": "channel", "channel_id": "C0GENERAL"},
            ],
        ),
        (
            "<!here> <!subteam^S0ONCALL|@oncall>",
            [
                {"type": "broadcast", "range": "here"},
                text(" "),
                {"type": "usergroup", "usergroup_id": "S0ONCALL"},
            ],
        ),
        (
            "<https://a.example/?a=1&amp;b=2> or <https://b.example|b>",
            [
                {"type": "link", "url": "https://a.example/?a=1&b=2"},
                text(" or "),
                {"type": "link", "url": "https://b.example", "text": "b"},
            ],
        ),
        (
            "*bold*, _italic_, ~gone~, `code`",
            [
                text("bold", bold=True),
                text(", "),
                text("italic", italic=True),
                text(", "),
                text("gone", strike=True),
                text(", "),
                text("code", code=True),
            ],
        ),
        ("*_both_*", [text("both", italic=True, bold=True)]),
        (
            "<!date^1700000000^{date} at {time}|14 November>",
            [
                {
                    "type": "date",
                    "timestamp": 1700000000,
                    "format": "{date} at {time}",
                    "fallback": "14 November",
                }
            ],
        ),
        ("<!nobody> <word>", [text("<!nobody>"), text(" "), text("<word>")]),
        ("snake_case_name 2*3*4", [text("snake_case_name 2*3*4")]),
        ("done :white_check_mark:", [text("done "), {"type": "emoji", "name": "white_check_mark"}]),
    ],
)
def test_a_line_becomes_its_elements(typed, elements):
    """Mentions, links, emoji and styles."""
    assert pieces(typed) == elements


def test_quotes_and_fences_stand_apart():
    """Lines of a kind are one part."""
    block = rich_text("look\nhere\n&gt; said\n```\nx &lt; 1\n```\nend", "b")
    assert [(part["type"], part["elements"][0]["text"]) for part in block["elements"]] == [
        ("rich_text_section", "look\nhere"),
        ("rich_text_quote", "said"),
        ("rich_text_preformatted", "x < 1"),
        ("rich_text_section", "end"),
    ]


@given(st.text(st.sampled_from("ab *_~`<>@#!|:&;\n"), max_size=40))
def test_whatever_is_typed_makes_a_block_that_slack_takes(typed):
    """And nothing that was typed is lost but the marks."""
    block = rich_text(typed, "b")
    assert problems([block]) == []


def test_an_app_is_told_what_was_typed_as_text_and_as_block(place):
    """In the event, the history and the thread; the bot's own messages stay as they were sent."""
    ts = place.workspace.say("ana", "general", "@bo *look*").ts
    event = place.workspace.recorder.find("message", "out")[-1].request["event"]
    listed = place.client.conversations_history(channel="C0GENERAL")["messages"][0]
    for message in (event, listed):
        assert message["text"] == "<@U0BO> *look*"
        assert message["blocks"][0]["elements"][0]["elements"] == [
            {"type": "user", "user_id": "U0BO"},
            text(" "),
            text("look", bold=True),
        ]
    assert event["client_msg_id"] == listed["client_msg_id"]
    own = place.client.chat_postMessage(channel="C0GENERAL", text="*look*", thread_ts=ts)
    assert "blocks" not in own["message"]
