"""How well models predict, and whether they got worse."""
