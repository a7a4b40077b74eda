"""The MCP door: JSON-RPC over stdio, and nothing else.

`wire` reads and writes lines and answers what is no proper message; `door` hands proper calls to
the app; `serve` ties both to a process: its start, its signals, its end.
"""
