"""The bank's server, for the job that fetches rates."""

from tests.billing.conftest import banks

__all__ = ["banks"]
