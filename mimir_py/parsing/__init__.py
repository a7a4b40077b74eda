"""Documents made into text, in a process of their own with limits on memory, time and size.

Files come from anywhere, and parsers are large: what goes wrong in one ends the worker, never the
server, and none of them is ever loaded there. Text kinds need no parser and no worker.
"""
