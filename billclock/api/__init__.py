"""Named functions with text parameters, called by mgrctl, HTTP and forms alike."""
