"""What an expression means, and the languages that can say it."""
