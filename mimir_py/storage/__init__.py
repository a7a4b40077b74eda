"""The file on disk: driver, locking, transactions, migrations, and the indexes beside the text.

Knows no domain words. One connection writes, another reads; every change is one function that runs
whole on the writing connection's thread, so nothing can be awaited inside a transaction.
"""
