"""Who makes a service: one processing module a plugin module or package."""
