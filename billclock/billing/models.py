"""The index of billing's tables."""

from billclock.billing.currencies import Currency, Rate, RatePair
from billclock.billing.statistics import DailyFigure

__all__ = ["Currency", "DailyFigure", "Rate", "RatePair"]
