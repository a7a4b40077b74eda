"""Calls that are sent again: a write with an `idempotency_key` is made once and answered twice."""

from mimir_py.retries.models import KeyedCall, keyed
from mimir_py.retries.service import Retries

__all__ = ["KeyedCall", "Retries", "keyed"]
