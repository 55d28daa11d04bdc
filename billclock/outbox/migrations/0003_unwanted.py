"""Letters that nobody wanted are known by their state, no longer by their words."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

WORDS = "nobody wants such letters"


def move(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    messages = apps.get_model("outbox", "Message").objects.using(editor.connection.alias)
    messages.filter(state="dropped", last_error=WORDS).update(state="unwanted")


def move_back(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    messages = apps.get_model("outbox", "Message").objects.using(editor.connection.alias)
    messages.filter(state="unwanted").update(state="dropped")


class Migration(migrations.Migration):
    dependencies = [("outbox", "0002_letters")]

    operations = [
        migrations.AlterField(
            "message",
            "state",
            models.CharField(
                choices=[
                    ("queued", "Queued"), ("sending", "Sending"), ("sent", "Sent"),
                    ("failed", "Failed"), ("held", "Held"), ("dropped", "Dropped"),
                    ("unwanted", "Unwanted"),
                ],
                default="queued",
                max_length=8,
            ),
        ),
        migrations.RunPython(move, move_back),
    ]  # fmt: skip
