"""Users, who sign in with their e-mail address; their sessions and links; the audit trail."""

from hashlib import sha256
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

from billclock import clock
from billclock.accounts.caseless import holds


class Role(models.TextChoices):
    """What a user may do with the tables open to him: edit and run, run and pause, or look."""

    ROOT = "root", _("Root")
    OPERATOR = "operator", _("Operator")
    VIEWER = "viewer", _("Viewer")


class UserManager(BaseUserManager["User"]):
    """Makes users and finds them by their e-mail address."""

    def ruling(self) -> "models.QuerySet[User]":
        """Keep those who can make and change users; there must always be one."""
        return self.filter(role=Role.ROOT, is_active=True, tables="")

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a user; without a password he cannot sign in by one."""
        fields.setdefault("joined", clock.now())
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by his e-mail address in any case."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser):
    """Somebody who signs in; `tables` are the crontabs open to him, with blanks, empty for all."""

    email = models.EmailField(unique=True)
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)
    tables = models.TextField(blank=True)
    language = models.CharField(max_length=5, default="en")
    is_active = models.BooleanField(default=True)
    joined = models.DateTimeField()

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    def __str__(self) -> str:
        """Give the e-mail address."""
        return self.email

    @property
    def initials(self) -> str:
        """Give one or two capital letters that stand for the user on a screen."""
        words = [word for word in self.email.partition("@")[0].split(".") if word]
        return "".join(word[0] for word in words[:2]).upper() or "?"

    def sees(self, table: str) -> bool:
        """Tell whether a crontab is open to this user."""
        return not self.tables.split() or table in self.tables.split()

    @property
    def rules(self) -> bool:
        """Tell whether he may make and change users: a root user to whom every table is open."""
        return self.role == Role.ROOT and not self.tables.split()


class Session(AbstractBaseSession):
    """A sign-in on one device, or a visitor's; what it was last used from and when is shown."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    since = models.DateTimeField()
    seen = models.DateTimeField()
    address = models.CharField(max_length=64, blank=True)
    agent = models.CharField(max_length=256, blank=True)

    @property
    def handle(self) -> str:
        """Give a name for it that, unlike its key, may be shown."""
        return sha256(self.session_key.encode()).hexdigest()[:16]


class Purpose(models.TextChoices):
    """What a one-time link is for: to choose the first password, or a new one."""

    INVITATION = "invitation"
    RESET = "reset"


class OneTimeLink(models.Model):
    """A link by which a user chooses a password; `digest` is SHA-256 of its secret part."""

    user = models.ForeignKey(User, models.CASCADE)
    purpose = models.CharField(max_length=10, choices=Purpose.choices)
    digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()


class Preference(models.Model):
    """How one user likes a screen: a name such as "jobs.columns", and what he chose."""

    user = models.ForeignKey(User, models.CASCADE)
    name = models.CharField(max_length=64)
    value = models.JSONField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "name"), name="preference_once"),)


class SetupLink(models.Model):
    """The link with which the first root user is made; `digest` is SHA-256 of its secret part."""

    digest = models.CharField(max_length=64)
    expires_at = models.DateTimeField()


class AuditQuerySet(models.QuerySet["AuditRow"]):
    """Questions to the audit trail."""

    def open_to(self, user: User) -> "AuditQuerySet":
        """Keep what concerns the user's tables; all of it where every table is open to him."""
        return self.filter(table__in=user.tables.split()) if user.tables.split() else self.all()

    def saying(self, text: str) -> "AuditQuerySet":
        """Keep rows that hold `text` in what was acted on, before or after, in any case."""
        found = holds("subject", text) | holds("before", text) | holds("after", text)
        return self.filter(found)


class AuditRow(models.Model):
    """One act that changed something; the database itself refuses to change or delete a row."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=254)
    act = models.CharField(max_length=64)
    subject = models.TextField()
    table = models.CharField(max_length=255, blank=True)
    before = models.TextField(blank=True)
    after = models.TextField(blank=True)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=16, blank=True)

    objects: ClassVar[AuditQuerySet] = AuditQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = (
            models.Index(fields=("actor", "-id"), name="audit_of_actor"),
            models.Index(fields=("table", "-id"), name="audit_of_table"),
            models.Index(fields=("act", "-id"), name="audit_of_act"),
            models.Index(fields=("at",), name="audit_by_moment"),
        )
