"""The command line: the tools for people, and what only people do (doctor, connect, export)."""
