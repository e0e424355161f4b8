"""Graphs of nodes that feed each other: health, and who is to blame."""
