"""Documents found by their day, their number, and while they are drafts or unpaid."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0007_services_of_an_account")]

    operations = [
        migrations.AddIndex(
            "invoice", models.Index(fields=["issued_on", "id"], name="invoice_by_day")
        ),
        migrations.AddIndex("invoice", models.Index(fields=["number"], name="invoice_by_number")),
        migrations.AddIndex(
            "invoice",
            models.Index(
                fields=["id"], name="invoice_draft", condition=models.Q(("state", "draft"))
            ),
        ),
        migrations.AddIndex(
            "invoice",
            models.Index(
                fields=["id"], name="invoice_unpaid", condition=models.Q(("paid_on", None))
            ),
        ),
    ]
