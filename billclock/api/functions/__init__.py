"""The named functions: one module an area."""
