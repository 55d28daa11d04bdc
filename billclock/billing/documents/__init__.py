"""Documents as PDF: a paper in, bytes out; no database, no clock, no system fonts.

`paper` has the values that go in, `rendering.render` makes the PDF, `data` what is attached to it.
"""
