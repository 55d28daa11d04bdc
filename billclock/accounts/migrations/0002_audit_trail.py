"""The audit trail, whose rows the database refuses to change or delete."""

from django.db import migrations, models


TELLING = "the audit trail is only ever added to"


def forbid(act):
    name = f'accounts_auditrow_no_{act.lower()}'

    def set_up(apps, editor):
        if editor.connection.vendor == "sqlite":
            body = f"BEGIN SELECT RAISE(ABORT, '{TELLING}'); END"
        else:
            editor.execute(
                "CREATE OR REPLACE FUNCTION accounts_insert_only() RETURNS trigger "
                f"LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{TELLING}'; END $$"
            )
            body = "FOR EACH ROW EXECUTE FUNCTION accounts_insert_only()"
        editor.execute(f"CREATE TRIGGER {name} BEFORE {act} ON accounts_auditrow {body}")

    def take_down(apps, editor):
        on = "" if editor.connection.vendor == "sqlite" else " ON accounts_auditrow"
        editor.execute(f"DROP TRIGGER {name}{on}")

    return migrations.RunPython(set_up, take_down)


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('actor', models.CharField(max_length=254)),
                ('act', models.CharField(max_length=64)),
                ('subject', models.TextField()),
                ('table', models.CharField(blank=True, max_length=255)),
                ('before', models.TextField(blank=True)),
                ('after', models.TextField(blank=True)),
                ('address', models.CharField(blank=True, max_length=64)),
                ('request_id', models.CharField(blank=True, max_length=16)),
            ],
            options={
                'indexes': [models.Index(fields=['actor', '-id'], name='audit_of_actor'), models.Index(fields=['table', '-id'], name='audit_of_table'), models.Index(fields=['act', '-id'], name='audit_of_act'), models.Index(fields=['at'], name='audit_by_moment')],
            },
        ),
        forbid("UPDATE"),
        forbid("DELETE"),
    ]
