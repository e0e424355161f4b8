"""How fast it is, as one Markdown table: `make bench`."""

from bot.threads import one_thread

one_thread()
