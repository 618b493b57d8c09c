# Made by `python -m llmnet.pallets.generate` from a runtime's metadata. Changes here are lost.
# ruff: noqa
"""The types, calls, events, errors, storage, constants and functions of the runtime `llmnet`, version 7.

Nothing is imported before it is asked for: `from PACKAGE import MODULE`, where there are

    apis
    aura
    balances
    beacon
    grandpa
    multisig
    proxy
    registry
    reputation
    sessions
    spot_checks
    staking
    sudo
    system
    timestamp
    transaction_payment
    types
    utility

"""
