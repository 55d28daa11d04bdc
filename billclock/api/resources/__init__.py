"""The operations of the JSON API, a module for each kind of thing."""
