"""Runs crontabs and records every outcome; knows nothing of billing."""
