"""Django and the settings, loaded when a command needs them: the words come first."""

import os
from importlib import import_module

from billclock.commands.errors import UsageError, of_system


def django() -> None:
    """Set Django up; where it is up already, as in a warm child, do nothing.

    Raise UsageError where a variable of the environment holds what it can't.
    """
    read_settings()
    from django.apps import apps

    if not apps.ready:
        from django import setup

        setup()


def read_settings() -> None:
    """Make `django.conf.settings` usable. Raise UsageError where a variable holds what it can't."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billclock.settings")
    try:
        import_module(os.environ["DJANGO_SETTINGS_MODULE"])
    except OSError as error:
        mend = "make it readable for this user, or correct the BILLCLOCK_ variable that names it"
        raise UsageError(f"a setting can't be read, {of_system(error)}: {mend}") from None
    except ValueError as error:  # SettingError, whose module could not be loaded
        raise UsageError(str(error)) from None
