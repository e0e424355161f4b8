"""The simulated clock."""

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from bot.demo import Clock

START = datetime(2013, 7, 1, 12, tzinfo=UTC)


class Seconds:
    """Real time that a test moves."""

    def __init__(self):
        self.value = 0.0

    def __call__(self):
        """Seconds so far."""
        return self.value


def test_a_day_passes_in_a_minute_at_full_speed():
    """1440 simulated seconds in a real one."""
    real = Seconds()
    clock = Clock(START, 1440, real)
    real.value = 60
    assert clock.now() == START + timedelta(days=1)


def test_another_speed_goes_on_from_where_the_clock_is():
    """Changing the speed never jumps."""
    real = Seconds()
    clock = Clock(START, 60, real)
    real.value = 10
    clock.set_speed(1)
    assert clock.now() == START + timedelta(minutes=10)
    real.value = 15
    assert clock.now() == START + timedelta(minutes=10, seconds=5)


def test_a_stopped_clock_stands_still():
    """After stop() only advance() moves it."""
    real = Seconds()
    clock = Clock(START, 60, real)
    clock.stop()
    real.value = 100
    assert clock.now() == START
    assert clock.advance(timedelta(hours=2)) == START + timedelta(hours=2)


@pytest.mark.parametrize("speed", [0, -1, 1441])
def test_a_speed_out_of_range_is_refused(speed):
    """Between 1 and 1440."""
    with pytest.raises(ValueError, match="outside 1 … 1440"):
        Clock(START, speed)


def test_the_clock_never_goes_back():
    """Neither by a jump nor under many threads."""
    clock = Clock(START, 1440)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(timedelta(seconds=-1))
    seen = []

    def look():
        moments = [clock.now() for _ in range(200)]
        seen.append(moments == sorted(moments))
        clock.advance(timedelta(minutes=1))

    threads = [Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 4


def test_a_time_without_a_zone_is_refused():
    """A naive start would be ambiguous."""
    with pytest.raises(ValueError, match="needs a time with a zone"):
        Clock(datetime(2013, 7, 1))


def test_the_clock_stands_still_where_the_data_end():
    """However fast it runs, and whatever is skipped."""
    clock = Clock(START, 1440, end=START + timedelta(hours=2))
    assert not clock.ended
    assert clock.advance(timedelta(hours=5)) == START + timedelta(hours=2)
    assert clock.ended
    assert clock.now() == START + timedelta(hours=2)
