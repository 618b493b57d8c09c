"""The weights of the committed runtime against what is counted in it now."""
