"""The group of those who may make classrooms. It holds no permissions: /teach/ derives them from roles."""

from django.db import migrations


def make(apps, schema_editor):
    apps.get_model("auth", "Group").objects.get_or_create(name="Instructors")


class Migration(migrations.Migration):
    dependencies = [("auth", "0012_alter_user_first_name_max_length"), ("classrooms", "0001_initial")]

    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
