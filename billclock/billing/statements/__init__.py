"""What banks say: statements read, and what they name matched with what clients owe."""
