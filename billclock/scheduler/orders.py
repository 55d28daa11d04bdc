"""From an entry to what a process needs: command, input, environment, user, output, limits."""

from billclock.cron.entry import Entry
from billclock.cron.shell import DISCARD, is_simple
from billclock.scheduler import environment, output
from billclock.scheduler.executors.base import Order
from billclock.scheduler.roster import Job


def order(job: Job, run: int) -> Order:
    """Write the order for one run of a job. Raise UnknownUserError where its user is none."""
    options = job.options
    owner = environment.account(job.owner)
    variables = environment.environment(job.line.environment, owner)
    return Order(
        run=run,
        command=kept_command(job.line),
        stdin=job.line.stdin or b"",
        environment=variables,
        user=owner.switch,
        home=variables["HOME"],
        output=output.path(run),
        timeout=options.timeout,
        grace=options.grace,
        shell=variables["SHELL"],
    )


def kept_command(line: Entry) -> bytes:
    """Give what the shell gets, without a simple command's ending that discards its output.

    Such an entry mails nobody, but its output is kept all the same.
    """
    command = line.shell_command
    if line.mails or not is_simple(command):
        return command
    return command.removesuffix(DISCARD)
