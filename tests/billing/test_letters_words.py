"""The words of letters: a provider's own templates, their sandbox, every kind in every language."""

import pytest

from billclock.billing.clients import Contact
from billclock.billing.letters import readers, words
from billclock.billing.letters.words import WordsError
from billclock.billing.notice_kinds import KINDS, RENEWED
from billclock.billing.notifications import Template, notify
from billclock.outbox.delivery import Result, deliver
from tests.billing.lettering import LOW, ON, low, noon, page, relay, shop, subject, text
from tests.billing.shop import Shop
from tests.outbox.relay import Relay

__all__ = ["noon", "relay", "shop"]
pytestmark = pytest.mark.django_db


def own(shop: Shop, **given: object) -> Template:
    facts = {"kind": "low_money", "language": "en", "provider": shop.provider}
    facts |= {"subject": "Mind {{ account }}", "text": "Only {{ balance }} left, <b>dear</b>."}
    return Template.objects.create(**(facts | given))


def test_a_providers_words_come_before_common_ones_before_ours(shop: Shop, relay: Relay):
    account = shop.account("ann@client.example", "igor@client.example")
    Contact.objects.filter(email="igor@client.example").update(language="ru")
    own(shop, provider=None, subject="common")
    low(account)
    deliver()
    own(shop)
    notify(account, "low_money", period=ON, threshold=4, on=ON, facts=LOW)
    deliver()
    assert [subject(mail)[:12] for mail in relay.mails] == [
        "common",
        "Деньги на сч",
        "Mind acme-1",
        "Деньги на сч",
    ]
    said = text(relay.mails[2])
    assert said.startswith("Only €7.00 left, <b>dear</b>.\n")
    assert "/letters/unsubscribe/" in said
    shown = page(relay.mails[2])
    assert "Only €7.00 left, &lt;b&gt;dear&lt;/b&gt;." in shown
    assert "/letters/unsubscribe/" in shown


def test_a_page_of_the_providers_own_is_framed_unless_it_is_whole(shop: Shop, relay: Relay):
    template = own(shop, html="<p>Dear {{ contact }}, <em>{{ balance }}</em></p>")
    account = shop.account("ann@client.example")
    Contact.objects.update(name="<Ann>")
    low(account)
    deliver()
    assert "Dear &lt;Ann&gt;, <em>€7.00</em>" in page(relay.mails[0])
    assert "/letters/unsubscribe/" in page(relay.mails[0])
    Template.objects.filter(pk=template.pk).update(html="<html><body>whole</body></html>")
    notify(account, "low_money", period=ON, threshold=4, on=ON, facts=LOW)
    deliver()
    assert "/letters/unsubscribe/" not in page(relay.mails[1])


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("one\ntwo {{ balance", r"low_money \(en, acme\), text"),
        ("one\n{% if balance %}two", r"text, line 2: Unclosed tag.*'if'"),
        ("one\ntwo\n{% load i18n %}", r"line 3: .*load"),
        ("{% debug %}", "line 1: .*debug"),
        ("{% now 'Y' %}", "now"),
        ("{% url 'jobs' %}", "url"),
        ("{% csrf_token %}", "csrf_token"),
        ("{% autoescape off %}{% endautoescape %}", "autoescape"),
        ("{{ client|safe }}", "safe"),
        ("{{ client|ljust:'99999999999' }}", "ljust"),
        ("{{ client.__class__ }}", "may not begin with underscores"),
        ("{% include '../../../settings.py' %}", "settings.py"),
        ("{% include '/etc/passwd' %}", "passwd"),
        ("{{ 1|divisibleby:0 }}", "line 1"),
    ],
)  # fmt: skip
def test_a_template_beyond_the_sandbox_is_refused_by_line(shop: Shop, source: str, told: str):
    template = own(shop, text=source)
    if source.endswith("{{ balance"):
        assert "{{ balance" in words.of_provider(template, {"balance": "1"}).text
        return
    with pytest.raises(WordsError, match=told):
        words.of_provider(template, {"balance": "1", "client": "c"})


def test_a_broken_template_does_not_keep_the_letter_back(shop: Shop, relay: Relay, caplog):
    own(shop, text="{% if %}")
    low(shop.account("ann@client.example"))
    assert deliver() == Result(sent=1)
    assert subject(relay.mails[0]).startswith("The money on account")
    assert "low_money (en, acme), text, line 1" in caplog.text


def test_settings_are_out_of_reach(shop: Shop):
    template = own(shop, text="[{{ settings.SECRET_KEY }}{{ request }}{{ provider.settings }}]")
    assert words.of_provider(template, {"provider": {"name": "n"}}).text.startswith("[]")


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_written_in_every_language(kind: str, language: str):
    assert words.written(kind, language)
    typed = {"title": "Works on Sunday", "text": "The network is renewed."}  # a person's own letter
    said = words.of_ours(kind, language, {"language": language, **typed})
    assert said.subject
    assert said.text
    assert f'lang="{language}"' in said.html


def test_the_way_out_cannot_be_forged(shop: Shop):
    shop.account("ann@client.example")
    ann = Contact.objects.get()
    token = readers.link(ann, RENEWED).rpartition("/")[2]
    assert readers.of_link(token) == (ann, RENEWED)
    for bad in (token[:-1], token + "x", "", "x", "W10:1:abc"):
        with pytest.raises(readers.BadLinkError, match="not whole"):
            readers.of_link(bad)
    ann.delete()
    with pytest.raises(readers.BadLinkError):
        readers.of_link(token)
