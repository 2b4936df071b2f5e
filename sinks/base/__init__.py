"""Shared code of the formats that store a dataset in files: blocks, markers, the ledger, assets, and reading."""
