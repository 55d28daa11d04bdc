"""The daily run: what is due on a business date, who can pay it, and what is written of it.

Everything is done for a chunk of accounts by set statements in one transaction: `spans` says which
periods follow, `due` prices them, `funding` decides who can pay, `posting` writes charges,
transfers, balances and verdicts, `chunks` holds the transaction, `run` goes over all accounts.
"""
