"""Stores of the Rust program (schema levels 1 to 10, and the table `memories` from before them).

`store` has all the SQL, `bodies` opens encrypted texts, `records` says what rows mean here.
"""
