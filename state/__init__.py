"""The incident, the decision tree, the conversation, and the store beside them."""
