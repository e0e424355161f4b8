"""An incident's record, told from what was kept: post-mortem, notebook, JSON."""
