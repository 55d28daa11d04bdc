"""Keys: what a program shows in place of a password."""

from django.db import models

from billclock.accounts.models import Role, User


class Use(models.TextChoices):
    """What a key is for: calls, the calls of one session, or beginning a session, once."""

    CALLS = "calls"
    SESSION = "session"
    ONCE = "once"


class ApiKey(models.Model):
    """A key of a user; only the SHA-256 of it is kept, and its beginning to know it again by.

    It may do no more than `role` and no more than its user may. `proof` ties a session to the
    password it began with: a new password ends it.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="api_keys")
    use = models.CharField(max_length=8, choices=Use.choices, default=Use.CALLS)
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.ROOT)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    proof = models.CharField(max_length=64, blank=True)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("expires_at",), name="api_key_by_end"),)
