"""How money arrives: one way to pay a module or package."""
