"""What `scripts/bench.py` measures, and how: data, a line client, and a module per kind of row."""
