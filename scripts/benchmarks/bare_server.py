"""The least an MCP server in Python can be: what the SDK itself costs at start-up."""

import anyio
import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

ECHO = types.Tool(name="echo", description="Say it again.", input_schema={"type": "object"})


async def list_tools(context: object, params: object) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[ECHO])


async def main() -> None:
    server = Server("bare", on_list_tools=list_tools)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


anyio.run(main)
