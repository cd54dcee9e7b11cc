"""Pages get a place, a description and a switch of their own, and decks remember which pages failed."""

from django.db import migrations, models
from django.db.models import F


def place(apps, schema_editor):
    apps.get_model("whiteboard", "Slide").objects.update(position=F("number"))


class Migration(migrations.Migration):

    dependencies = [
        ('whiteboard', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='deck',
            name='failures',
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name='slide',
            name='alt',
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name='slide',
            name='hidden',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='slide',
            name='position',
            field=models.PositiveIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AlterModelOptions(
            name='slide',
            options={'ordering': ['position', 'number']},
        ),
        migrations.RunPython(place, migrations.RunPython.noop),
    ]
