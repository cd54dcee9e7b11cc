"""`/teach/account/`: a teacher's own name, password, second factor and API token; and the way in, which is allauth's.

The addresses are a closed list: of allauth's pages only those that have a use here are served.
"""

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.account.views import account_inactive, login, logout, reauthenticate
from allauth.mfa.base.views import authenticate as second_factor
from allauth.mfa.base.views import reauthenticate as second_factor_again
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import include, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from rest_framework.authtoken.models import Token

from classrooms import decks
from classrooms.admin.site import teach, user_of


class NameForm(forms.ModelForm[User]):
    """What the class reads beside a teacher's ink."""

    class Meta:
        model = User
        fields = ("first_name", "last_name")
        labels = {"first_name": gettext_lazy("First name or title"), "last_name": gettext_lazy("Last name")}


def sign_in(request: HttpRequest) -> HttpResponseBase:
    """Sign staff in; whoever is signed in and teaches nothing is told so, and may sign out."""
    if request.user.is_authenticated and not decks.teaches(request.user):
        return render(request, "account/stranger.html", {"signed_in": True}, status=403)
    return login(request)  # type: ignore[no-any-return]


def stranger(request: HttpRequest) -> HttpResponse:
    """Say that the school's sign-in knows somebody whom we do not."""
    return render(request, "account/stranger.html", {"signed_in": False}, status=403)


def account(request: HttpRequest) -> HttpResponse:
    """Show a teacher's account; POST renames them."""
    form = NameForm(request.POST or None, instance=user_of(request))
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your name is changed. Lessons that you are in already keep the old one."))
        return redirect("account")
    return _page(request, form=form)


@reauthentication_required  # type: ignore[untyped-decorator]
def make_token(request: HttpRequest) -> HttpResponse:
    """Make an API token in place of the old one and show it, this once."""
    Token.objects.filter(user=user_of(request)).delete()
    return _page(
        request, form=NameForm(instance=user_of(request)), made=Token.objects.create(user=user_of(request)).key
    )


def drop_token(request: HttpRequest) -> HttpResponse:
    """Take the API token back."""
    Token.objects.filter(user=user_of(request)).delete()
    messages.success(request, _("The token is worth nothing any more."))
    return redirect("account")


def _page(request: HttpRequest, **context: Any) -> TemplateResponse:
    user = user_of(request)
    codes = Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).first()
    context |= {
        "title": _("Your account"),
        "protected": is_mfa_enabled(user, [Authenticator.Type.TOTP]),
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else 0,
        "token": Token.objects.filter(user=user).first(),
        "has_password": user.has_usable_password(),
        "school": settings.OIDC_SERVER != "",
    }
    return TemplateResponse(request, "admin/account.html", teach.each_context(request) | context)


urlpatterns = [
    path("login/", never_cache(sign_in), name="account_login"),
    path("login/stranger/", stranger, name="account_stranger"),
    path("login/inactive/", account_inactive, name="account_inactive"),
    path("login/code/", second_factor, name="mfa_authenticate"),
    path("login/away/", logout, name="account_logout"),  # allauth's way out of a half-done sign-in
    path("account/", teach.admin_view(account), name="account"),
    path("account/token/", teach.admin_view(require_POST(make_token)), name="account-token"),
    path("account/token/drop/", teach.admin_view(require_POST(drop_token)), name="account-token-drop"),
    path("account/confirm/", reauthenticate, name="account_reauthenticate"),
    path("account/confirm/code/", second_factor_again, name="mfa_reauthenticate"),
    path("account/", teach.admin_view(account), name="mfa_index"),  # where allauth goes back to
    path("account/app/", include("allauth.mfa.totp.urls")),
    path("account/codes/", include("allauth.mfa.recovery_codes.urls")),
    path("school/", include("allauth.socialaccount.urls")),
    path("", include("allauth.socialaccount.providers.openid_connect.urls")),
]
