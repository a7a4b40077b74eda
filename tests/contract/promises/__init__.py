"""The examples of the compatibility contract, section 5, as calls and what they answer.

Values stand where the inputs determine them; elsewhere stands what kind of value it is. Answers may
have more fields than are named here, never fewer or others.
"""

from typing import Final

from tests.contract.promises import (
    context,
    ending,
    files,
    graph,
    journal,
    lifecycle,
    memories,
    moving,
    quality,
    state,
    time,
)
from tests.contract.promises.arguments import ARGUMENTS, ENUMS
from tests.contract.promises.kinds import Promise, Refusal, difference

_MODULES: Final = (
    context,
    memories,
    files,
    quality,
    time,
    graph,
    journal,
    lifecycle,
    state,
    ending,
    moving,
)
PROMISES: Final = tuple(promise for module in _MODULES for promise in module.PROMISES)
REFUSALS: Final = tuple(refusal for module in _MODULES for refusal in module.REFUSALS)

__all__ = ["ARGUMENTS", "ENUMS", "PROMISES", "REFUSALS", "Promise", "Refusal", "difference"]
