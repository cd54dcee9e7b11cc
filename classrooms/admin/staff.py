"""The staff of a classroom at /teach/: colleagues added, changed and taken off, ownership handed on, leaving.

Whatever changes reaches the lesson that is live, once it is committed.
"""

import functools
from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classrooms import actions
from classrooms.admin.site import role_in, said
from classrooms.models import Classroom, Staff
from classrooms.refusals import Refused

LEADS = (Staff.Role.OWNER, Staff.Role.INSTRUCTOR)  # who changes a classroom and starts lessons; assistants do neither
LONGEST_LOGIN = 254  # characters: an e-mail address


def account_of(login: str) -> User:
    """Return the account of a user name or an e-mail address. Raises ValidationError with a sentence."""
    people = User.objects.filter(is_active=True)
    exact = people.filter(username=login).first()
    if exact is not None:
        return exact
    if "@" not in login:
        raise forms.ValidationError(_("No account has this user name. Ask your colleague how theirs is spelt."))
    verified = EmailAddress.objects.filter(email__iexact=login, verified=True)
    found = list(people.filter(Q(email__iexact=login) | Q(pk__in=verified.values("user")))[:2])
    if len(found) == 1:
        return found[0]
    if found:
        raise forms.ValidationError(_("Several accounts have this e-mail address. Type the user name instead."))
    raise forms.ValidationError(
        _("No account has this e-mail address. Ask whoever runs Lectern to make one for your colleague, then add them.")
    )


class StaffForm(forms.ModelForm[Staff]):
    """A colleague, named by what they sign in with: a list to choose from would tell everybody's."""

    username = forms.CharField(
        label=gettext_lazy("User name or e-mail address of a new colleague"), max_length=LONGEST_LOGIN, required=False
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=[(r.value, r.label) for r in (Staff.Role.INSTRUCTOR, Staff.Role.ASSISTANT)],
    )

    class Meta:
        model = Staff
        fields = ["role"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self.instance.user.get_username() if self.instance.pk else ""
        role, login = self.fields["role"], self.fields["username"]
        role.initial = Staff.Role.ASSISTANT
        if name:
            role.widget.attrs["aria-label"] = _("Role of %(name)s") % {"name": name}
        login.widget.attrs |= {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}
        login.initial = name
        login.disabled = bool(name)

    def clean_username(self) -> str:
        """Find the account of a new colleague."""
        login = str(self.cleaned_data["username"]).strip()
        if not self.instance.pk and login:
            self.instance.user = account_of(login)
        return login

    def clean(self) -> dict[str, Any]:
        """Ask for the name of a new colleague, and take each only once."""
        cleaned = super().clean() or {}
        if not self.instance.pk and "username" in cleaned:
            if not cleaned["username"]:
                raise forms.ValidationError(_("Type the user name or e-mail address of your colleague."))
            if Staff.objects.filter(classroom=self.instance.classroom_id, user=self.instance.user).exists():
                raise forms.ValidationError(_("This person is on the staff already."))
        return cleaned


class StaffFormSet(forms.BaseInlineFormSet[Staff, Classroom, forms.ModelForm[Staff]]):
    """The staff but the owner, who is neither changed nor removed here, whatever a form says."""

    def get_queryset(self) -> QuerySet[Staff]:
        """Return the rows that may be changed."""
        return super().get_queryset().exclude(role=Staff.Role.OWNER)

    def add_fields(self, form: Any, index: int | None) -> None:
        """Say whom the box at the end of a row takes off the staff."""
        super().add_fields(form, index)
        if "DELETE" in form.fields and form.instance.pk:
            name = form.instance.user.get_username()
            form.fields["DELETE"].widget.attrs["aria-label"] = _("Remove %(name)s from the staff") % {"name": name}

    def clean(self) -> None:
        """Refuse a person named twice, by whichever of their names."""
        new = [form.instance.user_id for form in self.forms if form.instance.user_id and form.has_changed()]
        if len(new) != len(set(new)):
            raise forms.ValidationError(_("The same person is named twice."))


class StaffInline(admin.TabularInline[Staff, Classroom]):
    """Who teaches here beside the owner."""

    model = Staff
    form = StaffForm
    formset = StaffFormSet
    template = "admin/classrooms/classroom/staff.html"
    fields = ["username", "role"]
    extra = 1
    verbose_name = gettext_lazy("colleague")
    verbose_name_plural = gettext_lazy("colleagues")
    media = forms.Media()

    @admin.display(description=gettext_lazy("User name"))
    def username(self, staff: Staff) -> str:
        """Name a colleague to those who may only look."""
        return staff.user.get_username()

    def has_view_permission(self, request: HttpRequest, obj: Classroom | None = None) -> bool:
        """Show the staff of own classrooms to those on it; asked about none in particular, Django means own ones."""
        return obj is None or role_in(obj, request) != ""

    def has_change_permission(self, request: HttpRequest, obj: Classroom | None = None) -> bool:
        """Let those who lead the classroom change roles."""
        return obj is not None and role_in(obj, request) in LEADS

    has_add_permission = has_delete_permission = has_change_permission


class HandOnForm(forms.Form):
    """Who owns the classroom from now on: somebody who is on its staff."""

    def __init__(self, *args: Any, classroom: Classroom, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.others = classroom.staff.exclude(role=Staff.Role.OWNER).select_related("user").order_by("user__username")
        self.fields["to"] = forms.ModelChoiceField(
            self.others,
            label=gettext_lazy("New owner"),
            error_messages={
                "required": _("Choose who owns the classroom from now on."),
                "invalid_choice": _("This person is not on the staff any more."),
            },
        )


def told(request: HttpRequest, *, changed: list[Staff], gone: list[Staff]) -> None:
    """Tell the live lesson who has another role and who is off the staff, once what the database has is committed."""
    for staff in changed:
        transaction.on_commit(functools.partial(_tell, request, staff, actions.appoint))
    for staff in gone:
        transaction.on_commit(functools.partial(_tell, request, staff, actions.dismiss))


def _tell(request: HttpRequest, staff: Staff, verb: Callable[[Classroom, User], None]) -> None:
    try:
        verb(staff.classroom, staff.user)
    except Refused as refusal:
        words = {"name": staff.user.get_username(), "why": said(refusal)}
        if verb is actions.dismiss:
            text = _("%(name)s is off the staff, but may still be in the lesson that is live: %(why)s") % words
        else:
            text = _("The lesson that is live does not know the new role of %(name)s yet: %(why)s") % words
        messages.warning(request, text)
