"""From an entry to what a process needs: command, input, environment, user, output, limits."""

from billclock.cron.entry import Entry
from billclock.cron.shell import DISCARD, is_simple
from billclock.scheduler import environment, output
from billclock.scheduler.environment import RefusedUserError
from billclock.scheduler.executors.base import Limits, Order, StartError
from billclock.scheduler.policies import Options
from billclock.scheduler.roster import Job

NO_LIMITS = Limits()


def order(job: Job, run: int) -> Order:
    """Write the order for one run of a job. Raise UnknownUserError or StartError for none."""
    options = job.options
    owner = environment.account(runner(job))
    given = {**job.line.environment, **options.variables}
    variables = environment.environment(given, owner)
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
        folder=_folder(job, options),
        limits=_limits(options),
    )


def runner(job: Job) -> str:
    """Name the user as whom a job is to run. Raise RefusedUserError where that may not be."""
    wish = job.line.directives.get("user")
    if wish is None:
        return job.owner
    if why := environment.refusal(job.table, wish):
        raise RefusedUserError(why)
    return wish


def _folder(job: Job, options: Options) -> str:
    """Give the folder a job asks for: where it can't be read, home would be a wrong guess."""
    if "workdir" in job.line.directives and not options.folder:
        raise StartError("workdir= names no full path of a folder: correct it or remove it")
    return options.folder


def _limits(options: Options) -> Limits | None:
    limits = Limits(options.nice, options.input_output, options.memory)
    return None if limits == NO_LIMITS else limits


def kept_command(line: Entry) -> bytes:
    """Give what the shell gets, without a simple command's ending that discards its output.

    Such an entry mails nobody, but its output is kept all the same.
    """
    command = line.shell_command
    if line.mails or not is_simple(command):
        return command
    return command.removesuffix(DISCARD)
