"""Russian dates: months are no proper names there ("5 ноя 2026"), and decline after a day."""

SHORT = {form: form.replace("M", "b") for form in
         ("j M", "j M Y", "j M Y H:i", "j M Y, H:i", "D j M", "D j M Y")}  # fmt: skip
WAYS = {**SHORT, "M": "F", "M Y": "m.Y", "l j F": "l j E"}


def __getattr__(name: str) -> str:
    """Give the Russian form in place of one asked for in English; Django asks by attribute."""
    if name in WAYS:
        return WAYS[name]
    raise AttributeError(name)
