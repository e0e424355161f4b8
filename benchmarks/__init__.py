"""How fast it is, as one Markdown table: `make bench`."""
