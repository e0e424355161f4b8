"""Workers under functions that really misbehave."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from analysis.budget import Excess
from analysis.evidence import CannotExamine
from bot.workers import TooBig, TooLong, WorkerLost, Workers
from state.due import Urgency
from tests.bot import misbehaving as work

ROOT = Path(__file__).parents[2]
LONG = 60.0


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    """Two workers with 2 s and 900 MB, shared by the tests of this file."""
    with Workers(2, seconds=2, memory_mb=900) as pool:
        assert pool.ready(LONG)
        yield pool


def test_a_piece_of_work_may_be_given_more_time_and_says_what_it_had(workers: Workers) -> None:
    """Three seconds are too long for these workers, unless somebody allowed six."""
    late, allowed = (workers.submit(time.sleep, 3.0, seconds=s) for s in (None, 6.0))
    assert allowed.result(LONG) is None
    with pytest.raises(TooLong) as caught:
        late.result(LONG)
    assert caught.value.excess == Excess("seconds", 2, 2)


def test_work_that_is_stopped_names_the_setting_that_stopped_it(workers: Workers) -> None:
    """A step's own seconds are those of its budget; raising the pool's would change nothing."""
    with pytest.raises(TooLong, match=r"under \[budget\]"):
        workers.submit(time.sleep, 30.0, seconds=1.0).result(LONG)
    with pytest.raises(TooLong, match=r"under \[walk\]"):
        workers.submit(time.sleep, 30.0).result(LONG)


@pytest.fixture
def single() -> Iterator[Workers]:
    """One worker, so that work waits for work."""
    with Workers(1, seconds=20) as pool:
        assert pool.ready(LONG)
        yield pool


def test_work_gives_its_result(workers: Workers) -> None:
    """A function and its arguments go out, the result comes back."""
    assert workers.submit(work.add, 2, 3).result(LONG) == 5


def test_a_check_finds_its_libraries_warm(workers: Workers) -> None:
    """Everything that a check imports is in memory before the first one."""
    for name in ("pandas", "ibis", "scipy.stats", "sklearn.ensemble", "matplotlib.figure"):
        assert workers.submit(work.loaded, name).result(LONG), name


def test_query_model_and_chart_work_in_a_forked_worker(workers: Workers) -> None:
    """DuckDB, pandas, scikit-learn and matplotlib survive the fork, again and again."""
    futures = [
        workers.submit(work.query_duckdb_and_draw, 20_000, seconds=LONG)  # the machine may be busy
        for _ in range(4)
    ]
    for future in futures:
        mean, size = future.result(LONG)
        assert 0.45 < mean < 0.55
        assert size > 100_000


def test_numeric_libraries_use_one_thread(workers: Workers) -> None:
    """Two workers on two cores must not fight over them."""
    assert workers.submit(work.numeric_threads).result(LONG) == 1


def test_endless_work_is_stopped_and_says_what_next(workers: Workers) -> None:
    """The limit of time holds for Python code, and the message names work, limit and setting."""
    with pytest.raises(TooLong, match=r"spin_forever.*after 2 s.*may take 2 s.*`seconds`"):
        workers.submit(work.spin_forever).result(LONG)


def test_work_that_holds_the_interpreter_is_stopped(workers: Workers) -> None:
    """Code in C that never lets go of Python's lock is no exception."""
    began = time.monotonic()
    with pytest.raises(TooLong):
        workers.submit(work.hold_the_gil, 30_000).result(LONG)
    assert time.monotonic() - began < 15


def test_work_that_ignores_termination_is_stopped(workers: Workers) -> None:
    """SIGTERM is a request; the workers do not ask."""
    with pytest.raises(TooLong):
        workers.submit(work.ignore_termination).result(LONG)


def test_memory_eaten_bit_by_bit_is_noticed() -> None:
    """What a process really holds is watched while it works."""
    with Workers(1, seconds=60, memory_mb=500) as pool:
        with pytest.raises(TooBig, match=r"eat_slowly.*it held \d+ MB.*500 MB.*`memory_mb`"):
            pool.submit(work.eat_slowly, 4_000).result(LONG)
        assert pool.submit(work.add, 1, 1).result(LONG) == 2


def test_one_huge_allocation_is_refused_at_once(workers: Workers) -> None:
    """No look could come in time for 40 GB; the system's limit refuses them."""
    with pytest.raises(TooBig, match=r"eat_at_once.* too much memory.*900 MB"):
        workers.submit(work.eat_at_once, 40).result(LONG)


def test_a_result_too_large_to_hand_back_is_refused(workers: Workers) -> None:
    """The parent's memory is guarded as well."""
    with pytest.raises(TooBig, match="a result of 80 MB"):
        workers.submit(work.large_result, 80).result(LONG)


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGSEGV, "SIGSEGV"), (signal.SIGKILL, "SIGKILL")]
)
def test_a_worker_that_is_killed_is_replaced(workers: Workers, number: int, name: str) -> None:
    """The future says which signal it was, and the next work finds a worker."""
    with pytest.raises(WorkerLost, match=f"die_by.*{name}.*replaced"):
        workers.submit(work.die_by, int(number)).result(LONG)
    assert workers.submit(work.add, 1, 1).result(LONG) == 2


def test_a_worker_that_leaves_is_replaced(workers: Workers) -> None:
    """Leaving without a word, or through SystemExit, is a lost worker, not a lost bot."""
    with pytest.raises(WorkerLost, match="code 5"):
        workers.submit(work.exit_hard, 5).result(LONG)
    with pytest.raises(WorkerLost, match="SystemExit"):
        workers.submit(work.exit_softly).result(LONG)
    assert workers.submit(work.add, 1, 1).result(LONG) == 2


def test_an_idle_worker_that_dies_costs_no_work(single: Workers) -> None:
    """Work that comes after the death of its worker runs in a new one."""
    os.kill(single.pids[0], signal.SIGKILL)
    assert single.submit(work.add, 1, 1).result(LONG) == 2


def test_errors_of_the_work_come_back_as_they_are(workers: Workers) -> None:
    """CannotExamine keeps its sentence, and carries the worker's traceback as a note."""
    with pytest.raises(CannotExamine, match="no labels before noon") as caught:
        workers.submit(work.refuse, "no labels before noon").result(LONG)
    assert "in refuse" in "".join(caught.value.__notes__)


def test_errors_that_can_not_travel_come_back_as_text(workers: Workers) -> None:
    """An exception or a result that can't be pickled still tells what it was."""
    with pytest.raises(RuntimeError, match="TwoArguments: this and that"):
        workers.submit(work.raise_unportable).result(LONG)
    with pytest.raises((AttributeError, TypeError, RuntimeError), match="lambda"):
        workers.submit(work.unpicklable_result).result(LONG)


def test_work_that_can_not_be_sent_is_refused_when_handed_over(workers: Workers) -> None:
    """The caller learns it at once, with the reason."""
    with pytest.raises(TypeError, match="top of a module"):
        workers.submit(lambda: 1)


def test_people_go_before_guesses(single: Workers, tmp_path: Path) -> None:
    """With one worker, a person's request overtakes speculative work that still waits."""
    order = str(tmp_path / "order")
    first = single.submit(work.sleep_then_write, 0.4, order, "first")
    guesses = [
        single.submit(work.sleep_then_write, 0.0, order, f"guess {i}", urgency=Urgency.AHEAD)
        for i in (1, 2)
    ]
    person = single.submit(work.sleep_then_write, 0.0, order, "person")
    for future in (first, person, *guesses):
        future.result(LONG)
    lines = Path(order).read_text().splitlines()
    assert lines == ["first", "person", "guess 1", "guess 2"]


def test_a_guess_that_a_person_asks_for_is_hurried(single: Workers, tmp_path: Path) -> None:
    """The guess that became a request moves before the other guesses."""
    order = str(tmp_path / "order")
    first = single.submit(work.sleep_then_write, 0.4, order, "first")
    guesses = [
        single.submit(work.sleep_then_write, 0.0, order, word, urgency=Urgency.AHEAD)
        for word in "abc"
    ]
    single.hurry(guesses[2])
    for future in (first, *guesses):
        future.result(LONG)
    assert Path(order).read_text().splitlines() == ["first", "c", "a", "b"]


def test_guesses_leave_a_worker_free(workers: Workers, tmp_path: Path) -> None:
    """Two guesses never hold both workers, so a click does not wait for either."""
    order = str(tmp_path / "order")
    guesses = [
        workers.submit(work.sleep_then_write, 1.0, order, f"{i}", urgency=Urgency.AHEAD)
        for i in (1, 2)
    ]
    time.sleep(0.1)
    workers.submit(work.sleep_then_write, 0.0, order, "person").result(LONG)
    for future in guesses:
        future.result(LONG)
    assert Path(order).read_text().splitlines() == ["person", "1", "2"]


def test_the_watch_looks_when_nothing_else_is_to_be_done(workers: Workers, tmp_path: Path) -> None:
    """A monitor waits even for what is computed ahead, and does not run beside it."""
    order = str(tmp_path / "order")
    first = workers.submit(work.sleep_then_write, 0.3, order, "first")
    watch = workers.submit(work.sleep_then_write, 0.0, order, "watch", urgency=Urgency.WATCH)
    guess = workers.submit(work.sleep_then_write, 0.6, order, "guess", urgency=Urgency.AHEAD)
    for future in (first, watch, guess):
        future.result(LONG)
    assert Path(order).read_text().splitlines() == ["first", "guess", "watch"]


def test_waiting_work_can_be_cancelled(single: Workers, tmp_path: Path) -> None:
    """What is cancelled while it waits never runs."""
    order = str(tmp_path / "order")
    first = single.submit(work.sleep_then_write, 0.4, order, "first")
    unwanted = single.submit(work.sleep_then_write, 0.0, order, "unwanted")
    last = single.submit(work.sleep_then_write, 0.0, order, "last")
    assert unwanted.cancel()
    assert (first.result(LONG), last.result(LONG)) == ("first", "last")
    assert Path(order).read_text().splitlines() == ["first", "last"]
    with pytest.raises(CancelledError):
        unwanted.result(LONG)


def test_shutdown_ends_everything_and_can_be_repeated() -> None:
    """Running work fails with a sentence, waiting work is cancelled, no process is left."""
    pool = Workers(1, seconds=LONG)
    assert pool.ready(LONG)
    pids = pool.pids
    running, waiting = pool.submit(work.spin_forever), pool.submit(work.add, 1, 1)
    time.sleep(0.2)
    pool.shutdown()
    pool.shutdown()
    with pytest.raises(WorkerLost, match="shuts down"):
        running.result(LONG)
    assert waiting.cancelled()
    assert not any(map(_runs, pids))
    with pytest.raises(RuntimeError, match="shut down"):
        pool.submit(work.add, 1, 1)


def test_a_warm_up_that_fails_is_told_and_does_not_loop() -> None:
    """The work that wanted a worker fails with the warm-up's error, at once."""
    with Workers(1, warm=work.warm_badly) as pool:
        assert not pool.ready(LONG)
        assert pool.failure is not None
        with pytest.raises(WorkerLost, match="could not start: RuntimeError: no warehouse today"):
            pool.submit(work.add, 1, 1).result(LONG)


def test_spawned_workers_keep_the_same_promises() -> None:
    """Where forking is not safe, processes are spawned: results, limits, replacement."""
    with Workers(1, seconds=1, preload=None, method="spawn") as pool:
        assert pool.ready(LONG)
        assert pool.submit(work.own_pid).result(LONG) in pool.pids
        with pytest.raises(TooLong):
            pool.submit(work.spin_forever).result(LONG)
        assert pool.submit(work.add, 1, 1).result(LONG) == 2


def test_output_of_work_stays_out_of_the_commands_output() -> None:
    """What work prints goes to standard error; standard output belongs to the command."""
    done = _python(
        """
        from bot.workers import Workers
        from tests.bot import misbehaving as work
        with Workers(1, preload=None) as pool:
            print(pool.submit(work.print_noise).result(60))
        """
    )
    out, err = done.communicate(timeout=LONG)
    assert (done.returncode, out) == (0, "done\n"), err
    assert "noise" in err


@pytest.mark.parametrize("harm", ["spin_forever", "hold_the_gil, 60_000"])
def test_workers_end_when_their_parent_is_killed(harm: str) -> None:
    """SIGKILL leaves the parent no time for goodbyes; its workers end all the same."""
    parent = _python(
        f"""
        import sys, time
        from bot.workers import Workers
        from tests.bot import misbehaving as work
        pool = Workers(2, seconds=2, preload=None)
        pool.ready(60)
        pool.submit(work.{harm})
        time.sleep(0.3)
        print(*pool.pids, flush=True)
        time.sleep(60)
        """
    )
    assert parent.stdout is not None
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert all(map(_runs, pids))
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 20
    while any(map(_runs, pids)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(_runs, pids))


def test_ctrl_c_reaches_the_parent_alone() -> None:
    """The terminal sends SIGINT to the whole group; workers go on, and the parent decides."""
    parent = _python(
        """
        import signal, time
        from bot.workers import Workers
        from tests.bot import misbehaving as work
        # Whoever starts the tests in the background has it ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with Workers(1, preload=None) as pool:
            pool.ready(60)
            before = pool.pids
            slow = pool.submit(work.sleep_then_write, 1.0, "/dev/null", "finished")
            try:
                print("ready", flush=True)
                time.sleep(30)
            except KeyboardInterrupt:
                print(slow.result(60), pool.pids == before)
        """,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "ready\n"
    os.killpg(parent.pid, signal.SIGINT)
    out, err = parent.communicate(timeout=LONG)
    assert out == "finished True\n", err
    assert "Traceback" not in err


def test_leaving_without_shutdown_leaves_nothing_behind() -> None:
    """A program that just ends takes its workers with it."""
    done = _python(
        """
        from bot.workers import Workers
        from tests.bot import misbehaving as work
        pool = Workers(1, preload=None)
        pool.ready(60)
        pool.submit(work.spin_forever)
        print(*pool.pids)
        """
    )
    out, err = done.communicate(timeout=LONG)
    assert done.returncode == 0, err
    assert not _runs(int(out))


def _python(code: str) -> subprocess.Popen[str]:
    """A program of its own, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _runs(pid: int) -> bool:
    """Whether a process is there and is no zombie."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(told.stdout.strip()) and not told.stdout.strip().startswith("Z")
