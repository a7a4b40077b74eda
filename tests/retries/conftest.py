import pytest

from mimir_py.storage.engine import Engine, load_engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    return load_engine("auto")
