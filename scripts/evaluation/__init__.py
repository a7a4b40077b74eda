"""How `scripts/eval.py` measures what is found: data sets, methods, metrics and a report."""
