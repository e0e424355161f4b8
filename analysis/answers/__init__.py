"""How the snapshots of a model answer: what each does otherwise than the one before."""
