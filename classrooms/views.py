"""The pages: home with its waiting state, and the lesson."""

import segno
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from classrooms import access
from classrooms.access import Seat
from classrooms.api import pass_for
from classrooms.models import Lesson
from classrooms.refusals import Code, Refused
from classrooms.roles import Role


@require_safe
@ensure_csrf_cookie
def home(request: HttpRequest, code: str = "") -> HttpResponse:
    """Ask for a code and a name; a scanned address brings the code along."""
    return render(request, "home.html", {"code": access.normalise(code)[:12]})


@gzip_page  # of a length that Django varies by chance: what is secret on the page cannot be told from it (BREACH)
@require_safe
@never_cache
@ensure_csrf_cookie
def lesson(request: HttpRequest, lesson: int) -> HttpResponse:
    """Show a lesson to its staff and to guests who have a seat in it; all others are asked for the code."""
    found = Lesson.objects.select_related("classroom").filter(pk=lesson).exclude(status=Lesson.Status.STARTING).first()
    if found is None:
        raise Http404
    staff = access.staff_of(found.classroom, request.user)
    if staff is not None and found.emptied_at is not None:
        return redirect("admin:classrooms_lesson_change", found.pk)  # who was there is all that is left of it
    if staff is not None:
        return _lesson(request, found, access.role_of(staff))
    try:
        seat = access.by_session(found, request.session)
    except Refused as refusal:
        if refusal.code is Code.NOT_ALLOWED:
            return redirect("home")
        return _lesson(request, found, Role.STUDENT)  # the page asks for a pass, and says why there is none
    return _lesson(request, found, seat.role, seat)


def _lesson(request: HttpRequest, found: Lesson, role: Role, seat: Seat | None = None) -> HttpResponse:
    """Render the page; for staff alone, the code with its QR, and with `?view=projector` what goes to the wall."""
    context = {"lesson": found, "classroom": found.classroom, "role": role, "pass": pass_for(seat) if seat else None}
    template = "lesson.html"
    if role is not Role.STUDENT:
        template = "lesson_projector.html" if request.GET.get("view") == "projector" else template
        address = request.build_absolute_uri(reverse("join", args=[found.classroom.code]))
        qr = segno.make(address, micro=False).svg_data_uri(scale=1, border=2)
        context |= {"join_host": request.get_host(), "qr": qr}
    return render(request, template, context)
