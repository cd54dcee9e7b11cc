"""Lessons remember the decks that they were given; those of the past are read from their logs."""

import json

import django.db.models.deletion
from django.db import migrations, models


def note(apps, schema_editor):
    """A past lesson keeps its decks, and gets no more pages of them."""
    known = set(apps.get_model("whiteboard", "Deck").objects.values_list("pk", flat=True))
    events = apps.get_model("classrooms", "Event").objects.filter(kind__in=["lesson.started", "page.added"])
    found = set()
    for lesson, data in events.filter(data__contains='"slide"').values_list("lesson", "data").iterator():
        data = json.loads(data)
        for page in data.get("pages", [data]):
            slide = page.get("slide")
            if slide and slide.get("deck") in known:
                found.add((lesson, slide["deck"]))
    rows = apps.get_model("classrooms", "LessonDeck")
    rows.objects.bulk_create(rows(lesson_id=lesson, deck_id=deck) for lesson, deck in sorted(found))


class Migration(migrations.Migration):

    dependencies = [
        ('classrooms', '0004_roster'),
        ('whiteboard', '0002_pages_of_their_own'),
    ]

    operations = [
        migrations.CreateModel(
            name='LessonDeck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('upto', models.BigIntegerField(null=True)),
                ('deck', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lessons', to='whiteboard.deck')),
                ('lesson', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='decks', to='classrooms.lesson')),
            ],
        ),
        migrations.AddConstraint(
            model_name='lessondeck',
            constraint=models.UniqueConstraint(fields=('lesson', 'deck'), name='lesson_deck_once'),
        ),
        migrations.RunPython(note, migrations.RunPython.noop),
    ]
