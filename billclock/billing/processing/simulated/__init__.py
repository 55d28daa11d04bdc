"""A hosting panel that exists on this machine alone, keeps its own truth and fails as told."""

from billclock.billing.processing.simulated.module import Simulated

MODULE = Simulated
