"""A gateway that exists on this machine alone, keeps its own truth and fails as it is told."""

from billclock.billing.payment_methods.simulated.method import Simulated

METHOD = Simulated
