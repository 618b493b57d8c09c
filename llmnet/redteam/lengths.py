"""How long recorded answers are."""

TOKENS = 24
MIDDLE = 2
"""How many times as long as others those are of which a challenge asks most for what it sees."""
LONGER = 8
"""How many times as long as others the long answers are: as long as those that people pay for."""
