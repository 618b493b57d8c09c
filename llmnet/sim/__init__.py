"""Populations of honest and dishonest agents on the real runtime: what does each strategy earn?

The rules are the runtime's, run in a node of this process; only people are simulated, and their answers replay evidence
that was recorded from real models."""

from llmnet.sim.errors import BadEvidence, CallFailed, SimError, UnknownScenario
from llmnet.sim.evidence import HONEST, Position, Recorded, load
from llmnet.sim.market import Market
from llmnet.sim.play import Costs, Plan, Result, best_deviation, play, play_all, standard_error
from llmnet.sim.scenarios import Scenario, scenarios
from llmnet.sim.workers import Terms, always, sometimes
from llmnet.sim.world import UNIT, World, fresh_world

__all__ = [
    "HONEST",
    "UNIT",
    "BadEvidence",
    "CallFailed",
    "Costs",
    "Market",
    "Plan",
    "Position",
    "Recorded",
    "Result",
    "Scenario",
    "SimError",
    "Terms",
    "UnknownScenario",
    "World",
    "always",
    "best_deviation",
    "fresh_world",
    "load",
    "play",
    "play_all",
    "scenarios",
    "sometimes",
    "standard_error",
]
