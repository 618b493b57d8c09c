"""Attacks on the network, each with what should become of it: run them, and see what is caught."""
