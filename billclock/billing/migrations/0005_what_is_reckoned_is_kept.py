from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("billing", "0004_documents_stay"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reckoning",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=60, unique=True)),
                ("at", models.DateTimeField()),
                ("seconds", models.FloatField()),
                ("values", models.JSONField(default=dict)),
            ],
        ),
    ]
