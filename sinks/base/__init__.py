"""What formats share that keep a dataset in files: blocks, markers, the ledger, assets, and reading them back."""
