"""What sections of the back office are made of: list, form and detail of one declaration."""
