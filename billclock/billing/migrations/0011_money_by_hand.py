"""What people gave accounts and took from them, with their reasons."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0010_lists_by_what_they_are_sifted")]

    operations = [
        migrations.AlterField(
            "ledgeraccount",
            "kind",
            models.PositiveSmallIntegerField(
                choices=[
                    (1, "Funds"), (2, "Revenue"), (3, "Tax"), (4, "Clearing"), (5, "Exchange"),
                    (6, "Affiliate"), (7, "Rounding"), (8, "Fees"), (9, "Opening"),
                    (10, "By Hand"),
                ]
            ),
        ),
        migrations.CreateModel(
            name="HandEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=80, unique=True)),
                (
                    "sort",
                    models.CharField(
                        choices=[("goodwill", "Goodwill"), ("correction", "Correction")],
                        max_length=12,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("reason", models.CharField(max_length=300)),
                ("by", models.CharField(max_length=254)),
                ("on", models.DateField()),
                ("entered_at", models.DateTimeField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="hand_entries",
                        to="billing.account",
                    ),
                ),
                (
                    "takes_back",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="taken_back_by",
                        to="billing.handentry",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=~models.Q(amount_minor=0), name="hand_entry_not_of_nothing"
                    ),
                    models.CheckConstraint(
                        condition=~models.Q(reason="") & ~models.Q(by=""),
                        name="hand_entry_says_why",
                    ),
                ],
            },
        ),
    ]  # fmt: skip
