"""What a log may hold."""

import structlog

from bot.logs import to_file


def test_a_traceback_prints_no_values_of_variables(tmp_path):
    """A token, or a value of a hidden column, may be among them."""
    before = structlog.get_config()
    try:
        to_file(tmp_path / "bot.log")
        token = "xoxb-" + "secret"
        try:
            raise ValueError(len(token))
        except ValueError:
            structlog.get_logger().exception("it broke")
    finally:
        structlog.configure(**before)
    text = (tmp_path / "bot.log").read_text()
    assert "ValueError: 11" in text
    assert "xoxb-secret" not in text
