"""Where exchange rates come from: one source a module."""
