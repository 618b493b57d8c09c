"""What can go wrong in the protocol's attacks themselves."""

from __future__ import annotations

from llmnet.redteam.errors import RedTeamError


class Stuck(RedTeamError):
    """An event that has to come did not come: the attack does not know the rules it plays by."""
