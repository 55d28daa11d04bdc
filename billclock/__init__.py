"""Billclock: a cron scheduler with a web face, and the billing whose jobs it runs."""

__version__ = "0.1.0"
