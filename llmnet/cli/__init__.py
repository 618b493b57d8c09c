"""Argument parsing and printing; each console script is a few lines over one of the other packages."""
