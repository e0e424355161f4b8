"""Who may give orders by mention."""

import pytest

from handlers.threads import Threads


@pytest.mark.parametrize("author", [{"bot_id": "B0OTHER"}, {"user": "U1", "bot_id": "B1"}, {}])
def test_an_app_gives_no_orders(author):
    """Nor does a mention without an author: nothing is looked up, nothing is asked."""
    asked = []
    event = {"channel": "C1", "ts": "1.0", "text": "<@U0HAWK> take", **author}
    Threads(None, asked.append, None).on_mention(event, None)
    assert asked == []
