"""What is heard is seen to in order, also while the bot stops."""

from __future__ import annotations

import threading

from handlers.one_by_one import OneByOne


def test_what_was_heard_before_a_stop_is_seen_to():
    """The one that is being seen to, and those behind it."""
    heard, done, go = OneByOne(), [], threading.Event()
    heard.put(lambda: (go.wait(5), done.append(0)))
    for number in range(1, 5):
        heard.put(lambda n=number: done.append(n))
    heard.loop.start()
    threading.Timer(0.2, go.set).start()
    heard.stop()
    assert done == [0, 1, 2, 3, 4]
