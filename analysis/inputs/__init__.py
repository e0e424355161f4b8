"""The views of a model's inputs that the features check weighs."""
