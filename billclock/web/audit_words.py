"""The acts of the audit trail in words; an act that has none is shown by its name."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from billclock.web.sections import all_sections

WORDS: dict[str, str | Promise] = {
    "sign-in": _("signed in"),
    "sign-in.refused": _("wrong password"),
    "code.refused": _("wrong code"),
    "sign-out": _("signed out"),
    "session.end": _("ended sessions"),
    "password.change": _("changed the password"),
    "password.forgotten": _("asked for a new password"),
    "password.reset": _("chose a new password"),
    "factor.add": _("added a second factor"),
    "factor.remove": _("removed a second factor"),
    "factor.renew-codes": _("made new recovery codes"),
    "user.first": _("became the first user"),
    "user.invite": _("invited a user"),
    "user.accept": _("accepted the invitation"),
    "user.change": _("changed rights"),
    "user.shut-out": _("shut a user out"),
    "user.let-in": _("let a user in again"),
    "user.link": _("made a link to choose a password"),
    "user.forget-factors": _("took second factors away"),
    "key.make": _("made a key for programs"),
    "key.revoke": _("revoked a key for programs"),
    "job.create": _("created jobs"),
    "job.edit": _("edited a job"),
    "job.enable": _("switched on"),
    "job.disable": _("switched off"),
    "job.delete": _("deleted"),
    "job.mail": _("changed when mail goes out"),
    "job.tag": _("changed tags"),
    "job.catch_up": _("changed what happens to missed runs"),
    "job.run": _("ran a job now"),
    "job.test": _("ran a job as a test"),
    "run.stop": _("stopped a run"),
    "engine.start": _("started the scheduler"),
    "pause.begin": _("paused"),
    "pause.end": _("ended a pause"),
    "crontab.edit": _("edited the crontab as text"),
    "crontab.import": _("imported a crontab"),
    "crontab.mend": _("mended a line"),
    "crontab.restore": _("restored a version"),
    "crontab.undo": _("undid a change"),
    "settings.save": _("changed settings"),
    "webhook.choose": _("chose a webhook"),
    "heartbeat.choose": _("chose the heartbeat's address"),
    "problem.snooze": _("put a problem aside"),
    "problem.wake": _("brought problems back"),
    "clock.follow": _("followed the clock that was set"),
    "mail.again": _("sent mail again"),
    "mail.trial": _("sent a test mail"),
    "stored-method.end": _("told what became of a stored method"),
    "invoice.reopen": _("opened a closed invoice again"),
}
ALARMING = {"sign-in.refused", "code.refused"}


def word(act: str) -> str:
    """Say what was done; in a section of the back office with the section's title."""
    return str(WORDS.get(act) or _in_section(act) or act)


def icon(act: str) -> str:
    """Name the icon of what a reader should notice; else there is none."""
    return "triangle-alert" if act in ALARMING else ""


def _in_section(act: str) -> str:
    name, _dot, what = act.partition(".")
    for section in all_sections():
        if section.name == name:
            done = section.act(what)
            word = (
                done.title if done else {"create": _("created"), "change": _("changed")}.get(what)
            )
            return f"{section.title}: {word or what}"
    return ""
