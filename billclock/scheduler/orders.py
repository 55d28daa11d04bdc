"""From an entry to what a process needs: command, input, environment, user, output, limits."""

from billclock.scheduler import environment, output
from billclock.scheduler.executors.base import Order
from billclock.scheduler.policies import Options
from billclock.scheduler.roster import Job


def order(job: Job, run: int, options: Options) -> Order:
    """Write the order for one run of a job. Raise UnknownUserError where its user is none."""
    owner = environment.account(job.owner)
    variables = environment.environment(job.line.environment, owner)
    return Order(
        run=run,
        command=job.line.kept_command,
        stdin=job.line.stdin,
        environment=variables,
        user=owner.switch,
        home=variables["HOME"],
        output=output.path(run),
        timeout=options.timeout,
        grace=options.grace,
        shell=variables["SHELL"],
    )
