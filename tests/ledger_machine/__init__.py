"""A machine that plays with the ledger, beside a model of it: see `machine` for what happens and what must hold."""
