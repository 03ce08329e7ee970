from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("django_aws_api_gateway_websockets", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("room", models.CharField(db_index=True, max_length=128)),
                ("name", models.CharField(max_length=150)),
                ("text", models.CharField(max_length=500)),
                ("sent_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Participant",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=150)),
                (
                    "session",
                    models.OneToOneField(
                        on_delete=models.deletion.CASCADE,
                        related_name="participant",
                        to="django_aws_api_gateway_websockets.websocketsession",
                    ),
                ),
            ],
        ),
    ]
