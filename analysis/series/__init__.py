"""What a series of numbers usually does, and where it left that."""
