"""What follows money, who set a bank's entry aside, how many notices nobody had signed."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

WENT_OUT = "it is no money that came in"


def name_who(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    """Mark entries of money that went out and that a person set aside: only their words say so."""
    entries = apps.get_model("billing", "BankEntry").objects.using(editor.connection.alias)
    decided = entries.filter(payment=None, amount_minor__lt=0).exclude(why=WENT_OUT)
    decided.filter(why__endswith=")").update(aside_by="unknown")


class Migration(migrations.Migration):
    dependencies = [("billing", "0008_documents_by_day")]

    operations = [
        migrations.CreateModel(
            name="Arrival",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="arrival",
                        serialize=False,
                        to="billing.account",
                    ),
                ),
                ("since", models.DateTimeField()),
                ("last_error", models.CharField(blank=True, max_length=300)),
            ],
        ),
        migrations.AddField(
            "bankentry", "aside_by", models.CharField(blank=True, default="", max_length=254),
            preserve_default=False,
        ),
        migrations.CreateModel(
            name="UnsignedNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField()),
                ("count", models.PositiveBigIntegerField(default=0)),
                ("last_at", models.DateTimeField()),
                (
                    "method",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="billing.paymentmethod",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("day", "method"), name="unsigned_notice_once"
                    )
                ]
            },
        ),
        migrations.RunPython(name_who, migrations.RunPython.noop),
    ]  # fmt: skip
