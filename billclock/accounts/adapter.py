"""What django-allauth asks of us: nobody signs himself up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Users are made by the set-up link and by root users alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Tell that there is no sign-up."""
        del request
        return False
