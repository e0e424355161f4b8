"""Which combinations of dimension values carry a change."""
