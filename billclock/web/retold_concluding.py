"""The forms of what jobs did to an object on a date, or why nothing."""

FORMS = (
    "told on %(on)s: %(what)s",
    "no letter on %(on)s: %(why)s",
    "expiring at %(days)d days",
    "updates_ending at %(days)d days",
    "the switch of %(on)s",
    "the switch of %(on)s: %(why)s",
    "it was renewed by itself, so billing tells of it",
    "its updates: %(why)s",
    "the end was on %(on)s, before that date",
    "the end was %(days)d days away, on %(on)s",
    "the first letter goes out %(days)d days before",
    "no letters are written of it",
    "the letter at %(days)d days was written on %(on)s, the next one goes out at %(next)d",
    "the letter at %(days)d days was written on %(on)s, there is no later one",
    "it was changed after the run of that date had looked",
    "it stood since %(on)s for %(what)s",
    "its automatic renewal had not been switched off",
    "its automatic renewal was switched on on %(on)s",
    "the letter goes out %(days)d days before",
    "its letter was written on %(on)s",
    "tried on %(on)s: %(what)s",
    "%(sum)s of payment %(number)s captured",
    "%(sum)s of payment %(number)s declined (%(what)s)",
    "%(sum)s of payment %(number)s abandoned",
    "%(sum)s of payment %(number)s pending",
    "%(sum)s of payment %(number)s unknown",
    "nothing taken on %(on)s: %(why)s",
    "nothing that is paid from a stored method was due",
    "payment %(number)s was under way",
    "payment %(number)s was not taken on %(on)s, and tried again on %(next)s only",
    "payment %(number)s was not taken on %(on)s, and credited on %(next)s",
    (
        "payment %(number)s was not taken on %(on)s, for the last time: it stands for what was due"
        " until then"
    ),
    (
        "payment %(number)s was not taken on %(on)s, and waits for its next try, on %(next)s or"
        " later"
    ),
    "payment %(number)s was not taken on %(on)s",
    "the account had the money for what was due: charge %(charge)d",
    "%(service)s: it stood since %(on)s for %(what)s",
    "what was due lacked no money that a usable stored method had to add",
    "%(job)s never ran",
    "%(job)s was done up to %(on)s",
    "%(job)s did not run for that date",
    "the run of %(on)s looked at what was so by then",
)
