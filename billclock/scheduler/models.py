"""What the database knows of crontabs: entries, planned moments, runs, versions, pauses."""

from django.db import models
from django.db.models.functions import Coalesce


class Outcome(models.TextChoices):
    """How a planned moment or a run ended; these words everywhere."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    MISSED = "missed"
    LOST = "lost"


class Trigger(models.TextChoices):
    """Why a run was started."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch-up"
    RETRY = "retry"
    CHAIN = "chain"
    MANUAL = "manual"
    API = "api"
    TEST = "test"


class Mail(models.TextChoices):
    """Whether a run's report was sent: none is owed, one is due, it was written to the outbox.

    A report is withheld where a limit of mails was reached; once a later mail or a digest has
    told of the run, it counts as written.
    """

    NONE = "none"
    DUE = "due"
    WITHHELD = "withheld"
    WRITTEN = "written"


class Table(models.Model):
    """One crontab as last read: a user's, or a system table such as /etc/cron.d/ntp."""

    name = models.CharField(max_length=255, primary_key=True)
    system = models.BooleanField(default=False)
    digest = models.CharField(max_length=64, blank=True)
    read_at = models.DateTimeField(null=True)
    problem = models.TextField(blank=True)
    zone = models.CharField(max_length=64, blank=True)


class Version(models.Model):
    """The bytes a table once had, who wrote them and when; the way back."""

    table = models.CharField(max_length=255)
    number = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    data = models.BinaryField()
    author = models.CharField(max_length=255)
    note = models.CharField(max_length=255, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("table", "number"), name="version_once"),)


class Entry(models.Model):
    """One line that runs a command, recognised again when the line is edited.

    `digest` is of the line's bytes, `ordinal` counts equal lines from 0; `command_digest` and
    `description_digest` find the entry again when the line itself changed. `gone_at` is set when
    the entry is no longer in its table. `era` moves moments to a clock that was set back on
    purpose, see Slot.
    """

    table = models.CharField(max_length=255)
    digest = models.CharField(max_length=32)
    ordinal = models.PositiveIntegerField(default=0)
    command_digest = models.CharField(max_length=32)
    description_digest = models.CharField(max_length=32, blank=True)
    expression = models.TextField()
    command = models.TextField()
    description = models.TextField(blank=True)
    active = models.BooleanField(default=True)
    line = models.PositiveIntegerField(default=0)
    era = models.PositiveIntegerField(default=0)
    first_seen = models.DateTimeField()
    gone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("table", "gone_at"), name="entry_of_table"),)


class Slot(models.Model):
    """One planned moment of an entry; inserting it is the only right to start a run for it.

    Consecutive missed moments may be one row: the first, the last (`planned`) and their count.
    """

    entry = models.ForeignKey(Entry, models.CASCADE, related_name="slots")
    planned = models.DateTimeField()
    era = models.PositiveIntegerField(default=0)
    first_planned = models.DateTimeField(null=True)
    count = models.PositiveIntegerField(default=1)
    claimed_at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("entry", "planned", "era"), name="slot_once"),
        )
        indexes = (
            models.Index(fields=("outcome", "planned"), name="slot_by_outcome"),
            models.Index(fields=("planned",), name="slot_by_moment"),
        )


DEVIATES = models.Q(outcome__gt="") & ~models.Q(outcome=Outcome.SUCCEEDED)


class Run(models.Model):
    """One attempt to run an entry's command.

    `pid_started` is the kernel's start time of the process in clock ticks since boot, which with
    `pid` names one process for ever. CPU is in seconds, memory in KiB, output in bytes.
    `exit_code` is None where a signal ended the process or where it can't be had. `cause` is the
    run whose ending called for this one by a chain; a number and no foreign key, since it stays
    when that run is no longer kept. `hook` says of webhooks what `mail` says of the report.
    """

    slot = models.ForeignKey(Slot, models.CASCADE, null=True, related_name="runs")
    entry = models.ForeignKey(Entry, models.CASCADE, related_name="runs")
    attempt = models.PositiveIntegerField(default=1)
    trigger = models.CharField(max_length=10, choices=Trigger.choices, default=Trigger.SCHEDULE)
    actor = models.CharField(max_length=255, blank=True)
    planned = models.DateTimeField(null=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    reason = models.TextField(blank=True)
    exit_code = models.SmallIntegerField(null=True)
    signal = models.SmallIntegerField(null=True)
    cpu = models.FloatField(null=True)
    memory = models.BigIntegerField(null=True)
    output_size = models.BigIntegerField(default=0)
    host = models.CharField(max_length=255, blank=True)
    user = models.CharField(max_length=255, blank=True)
    pid = models.PositiveIntegerField(null=True)
    pid_started = models.BigIntegerField(null=True)
    mail = models.CharField(max_length=8, choices=Mail.choices, default=Mail.NONE)
    cause = models.BigIntegerField(null=True)
    hook = models.CharField(
        max_length=8, choices=Mail.choices, default=Mail.NONE, db_default=Mail.NONE
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("slot", "attempt"), name="run_once"),
            models.UniqueConstraint(
                fields=("cause", "attempt"),
                name="run_caused_once",
                condition=models.Q(cause__isnull=False),
            ),
        )
        indexes = (
            models.Index(fields=("-started",), name="run_by_start"),
            models.Index(fields=("entry", "-id"), name="run_of_entry"),
            models.Index(fields=("id",), name="run_unfinished", condition=models.Q(outcome="")),
            # those of the runs that deviate: an ordinary run costs them nothing
            models.Index(fields=("outcome", "-id"), name="run_of_outcome", condition=DEVIATES),
            models.Index(
                fields=("trigger", "-id"),
                name="run_of_trigger",
                condition=~models.Q(trigger="schedule"),
            ),
            models.Index(
                fields=("exit_code", "-id"),
                name="run_of_exit_code",
                condition=models.Q(exit_code__gt=0),
            ),
            models.Index(
                fields=("actor", "-id"), name="run_of_actor", condition=models.Q(actor__gt="")
            ),
            models.Index(
                Coalesce("started", "planned").desc(), models.F("id").desc(), name="run_by_moment"
            ),
            models.Index(fields=("id",), name="run_mail_due", condition=models.Q(mail="due")),
            models.Index(fields=("id",), name="run_hook_due", condition=models.Q(hook="due")),
            models.Index(
                fields=("entry",), name="run_mail_withheld", condition=models.Q(mail="withheld")
            ),
        )


class Pause(models.Model):
    """A time in which nothing is started: for all (`scope` empty), `tag:NAME` or `entry:ID`."""

    scope = models.CharField(max_length=255, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    actor = models.CharField(max_length=255)


class Snooze(models.Model):
    """A problem that somebody does not want to see for now; `key` is problems.Problem's.

    It is hidden before `until`; where there is none, for good, unless it happens anew after `at`.
    """

    key = models.CharField(max_length=512, unique=True)
    at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    actor = models.CharField(max_length=255)


class Beat(models.Model):
    """The daemon's last sign of life on one host, and what it last knew of the clock.

    `served` is the moment up to which every planned moment has its slot; `boot` the kernel's
    boot id; `offset` the wall clock minus the seconds since boot.
    """

    host = models.CharField(max_length=255, primary_key=True)
    pid = models.PositiveIntegerField()
    at = models.DateTimeField()
    served = models.DateTimeField()
    boot = models.CharField(max_length=64)
    offset = models.FloatField()
    stopped = models.BooleanField(default=False)


class Incident(models.Model):
    """Something a person should know: the clock jumped, a table is ignored, a disk is full."""

    kind = models.CharField(max_length=32)
    at = models.DateTimeField()
    subject = models.CharField(max_length=255, blank=True)
    text = models.TextField()
    over_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("over_at", "-at"), name="incident_open"),)


class Setting(models.Model):
    """A setting chosen on the page, by whom and when; `name` is the environment's without prefix.

    What may be chosen, and what counts where the environment gives it too, says `chosen`.
    """

    name = models.CharField(max_length=32, primary_key=True)
    value = models.TextField()
    actor = models.CharField(max_length=255)
    at = models.DateTimeField()


class TableHook(models.Model):
    """The webhook that hears of all runs of a table, and of which endings (policies.HookWhen)."""

    table = models.CharField(max_length=255, primary_key=True)
    url = models.TextField()
    when = models.CharField(max_length=8)
    actor = models.CharField(max_length=255)
    at = models.DateTimeField()


class Heartbeat(models.Model):
    """What became of the last sign of life to the outside address: one row.

    `address` is as it may be shown; `fault` is empty where it was heard, `heard` when it last was.
    """

    address = models.CharField(max_length=512)
    at = models.DateTimeField()
    fault = models.TextField(blank=True)
    heard = models.DateTimeField(null=True)
