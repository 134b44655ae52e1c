"""The schemas as read from the repository."""

from __future__ import annotations

import pytest

from specgen.locate import schemas_folder
from specgen.schemas import Schemas, read_schemas


@pytest.fixture(scope="session")
def schemas() -> Schemas:
    return read_schemas(schemas_folder())
