"""How a command is run: in a process, in a warm child, or at once for tests and simulation."""
