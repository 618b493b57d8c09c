"""How long recorded answers are."""

TOKENS = 24
LONGER = 8
"""How many times as long as others the long answers are: as long as those that people pay for."""
