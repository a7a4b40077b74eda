"""Arguments that many tools share, described once."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from mimir_py.values import MAX_UNIX_MS

Category = Annotated[str, Field(description="Namespace, e.g. decision, convention, incident")]
Key = Annotated[str, Field(min_length=1, description="Name, unique within category and workspace")]
CategoryFilter = Annotated[str | None, Field(description="Only this category")]
WorkspaceFilter = Annotated[
    str | None, Field(description='Only this ("" is global, "*" all); else the session\'s')
]
Workspace = Annotated[
    str | None, Field(description='Its workspace ("" is global); else the session\'s')
]
AgentFilter = Annotated[str | None, Field(description="Only memories of this agent")]
Limit = Annotated[int, Field(ge=0, description="Most items")]
UnixMsField = Annotated[int | None, Field(ge=-MAX_UNIX_MS, le=MAX_UNIX_MS)]
Unit = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
JsonBody = Annotated[Any, WithJsonSchema({"type": "string"})]
