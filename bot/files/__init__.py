"""Commands over plain files, no settings needed: a method of the walk, by itself."""
