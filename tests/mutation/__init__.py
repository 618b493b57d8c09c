"""Mutation runs: which changes of the code no test notices."""
