"""How fast the embedded node is, beside polkadot-sdk's own node and chopsticks."""
