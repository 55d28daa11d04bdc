"""The product with something to look at, for tests of every screen and for their pictures."""
