"""What the scheduler's tests share."""

from pathlib import Path

import pytest
from django.conf import LazySettings


@pytest.fixture(autouse=True)
def outputs(settings: LazySettings, tmp_path: Path) -> None:
    """Keep the runs' output apart: a run's number comes again in the next test, its file doesn't.

    Whether a run began is told by its output being there.
    """
    settings.RUN_OUTPUTS = tmp_path / "runs"
