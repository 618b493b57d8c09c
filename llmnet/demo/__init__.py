"""The whole network on one machine, cheats included: what `llmnet demo` plays.

`cast` who plays, `processes` the daemons, `stage` the chain's set-up, `requester` who asks, `cheats` who deceives,
`watch` and `ledger` what is seen, `report` what is shown, `director` all of it in order.
"""
