"""The jobs of the article that this version cannot do yet, as data."""

from billclock.jobs.job import Job, Program


def _planned(block: str) -> Job:
    facts, call, title, *meaning = block.splitlines()
    name, rows, section, schedule, *remarks = facts.split(" | ")
    short, _, arguments = call.partition(" ")
    return Job(
        name=name,
        rows=tuple(int(row) for row in rows.split(", ")),
        section=section,
        title=title,
        meaning=" ".join(meaning),
        program=next(program for program in Program if program.short == short),
        arguments=arguments,
        schedule=schedule,
        quiet="loud" not in remarks,
        catch_up="catch-up" in remarks,
    )


# A block a job, a blank line between: its name, rows, section, schedule and remarks (`catch-up`;
# `loud`: the printed line keeps its output); its call; its title; its meaning. A job that is
# built leaves with its block.
TEXT = """\
ntsms | 3 | Notifications | * * * * *
ntsms --command process
BILLmanager set ntsms messages
Automatic SMS notifications

processing.checkbalance | 6 | Finance and payment | 0 6,18 * * *
mgrctl -m billmgr crontask action=processing.checkbalance
BILLmanager check modules balance info
Check the balance of processing modules

process_certificate_external_subscription | 12 | Services | 30 0 * * *
billmaintain --command process_certificate_external_subscription
BILLmanager process certificate subscription
Checking the need to renew the certificate on the processing module side

syncitem | 13 | Services | 40 */3 * * *
billmaintain --command syncitem
BILLmanager sync items data with providers
Synchronization of domain data

abuse_task | 14 | Services | 20 * * * *
billmaintain --command abuse_task
BILLmanager process abuse tasks
Search for violations of the service usage policy with the status "Open" and the term of
elimination less than the current date on the server

google.analytics.export | 16 | Statistics | */10 * * * * | loud
mgrctl -m billmgr google.analytics.export
BILLmanager export to Google Analytics
Exporting information to Google Analytics

selecttickets | 17 | Statistics | 0 1 * * * | catch-up | loud
billmaintain --command selecttickets
BILLmanager select tickets
Automatic filling of the Quality control module selection list

processing.syncserver.cron | 18 | Reselling | 30 */4 * * *
mgrctl -m billmgr processing.syncserver.cron
BILLmanager sync items processing info
Synchronization of parameter values from a third-party control panel

processing.getconfig | 19 | Reselling | 54 * * * *
mgrctl -m billmgr processing.getconfig
BILLmanager sync processing module configurations
Updating the information about available OS templates

affiliatemonthly | 20 | Marketing | 10 3 1 * * | catch-up
billmaintain --command affiliatemonthly
BILLmanager process affiliate
Accrual of remuneration for the referral program

archive_ticket | 22 | Support tickets | 0 12 * * * | catch-up
billmaintain --command archive_ticket
BILLmanager archive tickets
Sending requests to the archive
"""

PLANNED: tuple[Job, ...] = tuple(_planned(block) for block in TEXT.strip().split("\n\n") if block)
