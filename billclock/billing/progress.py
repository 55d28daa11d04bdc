"""How far dated jobs have come: runs, chunks done, watermarks; what was parked or allowed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, ClassVar

from django.db import models, transaction

from billclock import clock
from billclock.billing.errors import BillingError
from billclock.billing.provider import Provider

ANSWER_HOLDS = timedelta(days=3)
"""For how long a run that was allowed may begin: a weekend, not a season."""


class JobRunQuerySet(models.QuerySet["JobRun"]):
    """Questions about runs."""

    def with_past(self) -> JobRunQuerySet:
        """Annotate `past`: whether a later run has done the date, or asked in its place."""
        return self.annotate(past=models.ExpressionWrapper(_behind(), models.BooleanField()))

    def open(self) -> JobRunQuerySet:
        """Keep the stopped ones whose date is not behind."""
        return self.filter(~_behind(), state=JobRun.State.STOPPED)

    def asking(self) -> JobRunQuerySet:
        """Keep those that wait for a person's answer."""
        return self.open().filter(allowed_at=None)


def _behind() -> models.Q:
    """Give the condition on runs whose date was done since, or whose job has asked again since."""
    same = {"job": models.OuterRef("job"), "provider": models.OuterRef("provider")}
    done = Watermark.objects.filter(**same, on__gte=models.OuterRef("on"))
    asked = JobRun.objects.filter(
        **same, on__gt=models.OuterRef("on"), state=JobRun.State.STOPPED, allowed_at=None
    )
    return models.Q(models.Exists(done)) | models.Q(models.Exists(asked))


class JobRun(models.Model):
    """One job's work for one provider and business date; a killed one is taken up again.

    `figures` are its counts and sums by currency, for the comparison with the next. `finished_at`
    is also when it stopped.
    """

    class State(models.IntegerChoices):
        RUNNING = 1
        DONE = 2
        STOPPED = 3  # a limit was passed: somebody has to allow it

    job = models.CharField(max_length=60)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", db_index=False)
    on = models.DateField()
    state = models.PositiveSmallIntegerField(choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    figures = models.JSONField(default=dict)
    stopped_by = models.TextField(blank=True)
    allowed_at = models.DateTimeField(null=True)
    allowed_by = models.CharField(max_length=254, blank=True)

    objects: ClassVar[JobRunQuerySet] = JobRunQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("job", "provider", "on"), name="job_run_once"),
        )

    @property
    def named(self) -> str:
        """Name it: the job, its provider, its date."""
        return f"{self.job} {self.provider.code} {self.on}"


class JobChunk(models.Model):
    """A range of accounts a run is through with, written in the transaction of its effects."""

    class Phase(models.IntegerChoices):
        PERIODS = 1
        USE = 2

    run = models.ForeignKey(JobRun, models.CASCADE, related_name="chunks", db_index=False)
    phase = models.PositiveSmallIntegerField(choices=Phase.choices, default=Phase.PERIODS)
    first = models.BigIntegerField()
    last = models.BigIntegerField()
    figures = models.JSONField(default=dict)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("run", "phase", "first"), name="job_chunk_once"),
        )


class Watermark(models.Model):
    """The last business date a dated job has done for a provider."""

    job = models.CharField(max_length=60)
    provider = models.ForeignKey(Provider, models.PROTECT, related_name="+", db_index=False)
    on = models.DateField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("job", "provider"), name="watermark_once"),)


class Parked(models.Model):
    """An account a chunk could not be done with: billing leaves it alone until it is mended."""

    account = models.OneToOneField("billing.Account", models.PROTECT, related_name="parked")
    reason = models.TextField()
    since = models.DateTimeField()
    run = models.ForeignKey(JobRun, models.PROTECT, related_name="+", db_index=False)


def dates(job: str, provider: Provider, on: date) -> list[date]:
    """Give the business dates that a dated job still has to do up to `on`, oldest first.

    None where `on` was done already; `on` alone where the job never ran.
    """
    mark = Watermark.objects.filter(job=job, provider=provider).first()
    if mark is None:
        return [on]
    return [mark.on + timedelta(days=past) for past in range(1, (on - mark.on).days + 1)]


@transaction.atomic
def begin(job: str, provider: Provider, on: date) -> JobRun:
    """Give the run of a date: a new one, or the one that was cut off or stopped.

    A job that runs more than once for a date begins its one run again.
    """
    run, new = JobRun.objects.get_or_create(
        job=job, provider=provider, on=on, defaults={"started_at": clock.now()}
    )
    if not new and run.state == JobRun.State.DONE:
        run.started_at = clock.now()
        run.save(update_fields=["started_at"])
    if not new and run.state == JobRun.State.STOPPED:
        run.state = JobRun.State.RUNNING
        run.finished_at = None
        run.save(update_fields=["state", "finished_at"])
    return run


@transaction.atomic
def finish(run: JobRun, figures: Mapping[str, Any]) -> None:
    """Say that a date is done, and let the watermark stand at it (it never goes back)."""
    run.state = JobRun.State.DONE
    run.finished_at = clock.now()
    run.figures = dict(figures)
    run.save()
    mark, new = Watermark.objects.get_or_create(
        job=run.job, provider=run.provider, defaults={"on": run.on}
    )
    if not new and mark.on < run.on:
        mark.on = run.on
        mark.save()


@transaction.atomic
def note(job: str, provider: Provider, on: date) -> None:
    """Write down that a job looked at a date: one whose acts are known by themselves."""
    run = begin(job, provider, on)
    finish(run, run.figures)


@transaction.atomic
def stop(job: str, provider: Provider, on: date, question: str) -> JobRun:
    """Record that a run waits for somebody to allow what passed a limit."""
    run = begin(job, provider, on)
    run.state = JobRun.State.STOPPED
    run.finished_at = clock.now()
    run.stopped_by = question
    run.save()
    return run


@transaction.atomic
def allow(run: JobRun, by: str) -> None:
    """Let a stopped run go on at its next start, within ANSWER_HOLDS; `by` answers for it.

    Raises BillingError where it does not wait for an answer (any more).
    """
    held = JobRun.objects.select_for_update(of=("self",)).select_related("provider").get(pk=run.pk)
    if held.allowed_at is not None:
        raise BillingError(
            f"{held.named} was allowed by {held.allowed_by} on {held.allowed_at:%Y-%m-%d %H:%M} UTC"
        )
    if not JobRun.objects.asking().filter(pk=run.pk).exists():
        state = JobRun.State(held.state).label.lower()
        raise BillingError(
            f"{held.named} is {state} and waits for no answer", "look at the job's latest run"
        )
    held.allowed_at = clock.now()
    held.allowed_by = by
    held.save(update_fields=["allowed_at", "allowed_by"])


def allowed(job: str, provider: Provider, on: date) -> bool:
    """Tell whether somebody allowed a date's run to pass its limits.

    So does the answer to the run of a few days before, as long as that one was not done: it was
    given in the morning, and the job runs at night.
    """
    answered = JobRun.objects.filter(job=job, provider=provider).exclude(allowed_at=None)
    earlier = answered.open().filter(on__range=(on - ANSWER_HOLDS, on))
    return answered.filter(on=on).exists() or earlier.exists()


@transaction.atomic
def release(parked: Parked) -> None:
    """Let billing have an account again: its next run decides anew, and may park it once more.

    Raises BillingError where somebody did so before.
    """
    if not Parked.objects.filter(pk=parked.pk).delete()[0]:
        raise BillingError("this account is parked no more", "look at the list again")


def before(run: JobRun | None, job: str, provider: Provider) -> JobRun | None:
    """Give the last finished run of a job before `run`, for comparison."""
    done = JobRun.objects.filter(job=job, provider=provider, state=JobRun.State.DONE)
    if run is not None:
        done = done.filter(on__lt=run.on)
    return done.order_by("-on").first()
