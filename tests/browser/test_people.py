"""Stories of the class at the edge: hands and turns, answers and removals in the chat, people and their rights."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.browser import People
from tests.support.cast import CODE
from tests.support.client import Client
from tests.support.desk import Desk, agree
from tests.support.server import Server
from tests.support.visits import join, log_in, teach
from tests.support.wifi import Loop

PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def room(server: Server, people: People) -> tuple[Desk, Desk, Desk]:
    """The teacher, Ana and Ben in a new lesson."""
    teacher = teach(people.window(server.url), server)
    return teacher, join(people.window(server.url), "Ana"), join(people.window(server.url), "Ben")


def raise_hand(desk: Desk) -> None:
    desk.page.get_by_role("button", name="Raise hand").click()
    desk.settle()


def post(desk: Desk, words: str) -> None:
    field = desk.page.get_by_role("textbox", name="Message to the class")
    field.fill(words)
    field.press("Enter")
    desk.settle()


def message(page: Page, words: str) -> Locator:
    return page.locator("#messages > .message", has=page.get_by_text(words, exact=True))


def test_staff_call_on_hands_in_order_and_everybody_hears_whose_turn_it_is(room: tuple[Desk, Desk, Desk]) -> None:
    teacher, ana, ben = room
    raise_hand(ben)
    expect(teacher.page.locator("#polite")).to_have_text("Ben raised a hand. 1 hand up.")
    raise_hand(ana)
    hands = teacher.page.locator("#hand-rows > li")
    expect(hands).to_have_text(["BEBen1Call on", "ANAna2Call on"])
    teacher.page.get_by_role("button", name="Call on Ana").click()
    expect(ana.page.get_by_text("You are called on", exact=True)).to_be_visible()
    expect(ana.page.locator("#polite")).to_have_text("You are called on.")
    for other in (teacher, ben):
        expect(other.page.locator("#polite")).to_have_text("It is the turn of Ana.")
        expect(other.page.locator("#turn")).to_be_hidden()
        expect(other.page.locator("#hand-rows > li").first).to_contain_text("called on")
    expect(ana.page.get_by_role("button", name="Raise hand")).to_have_attribute("aria-pressed", "false")
    teacher.page.get_by_role("button", name="Call on Ben").click()
    expect(ben.page.locator("#turn")).to_be_visible()
    expect(ana.page.locator("#turn")).to_be_hidden()
    expect(ana.page.locator("#polite")).to_have_text("It is the turn of Ben.")
    ben.page.reload()
    ben.ready()
    expect(ben.page.locator("#turn")).to_be_visible()
    ben.page.get_by_role("button", name="Done").click()
    expect(ben.page.locator("#turn")).to_be_hidden()
    expect(teacher.page.locator("#hands")).to_be_hidden()


def test_lowering_all_ends_the_turn_as_well(room: tuple[Desk, Desk, Desk]) -> None:
    teacher, ana, ben = room
    raise_hand(ana)
    raise_hand(ben)
    teacher.page.get_by_role("button", name="Call on Ana").click()
    expect(ana.page.locator("#turn")).to_be_visible()
    teacher.page.get_by_role("button", name="Lower all").click()
    expect(teacher.page.locator("#hands")).to_be_hidden()
    expect(ana.page.locator("#turn")).to_be_hidden()
    expect(ben.page.locator("#polite")).to_have_text("Nobody is called on any more.")


def test_who_is_called_on_while_drawing_is_closed_is_asked_to_speak_and_told_so_everywhere(
    room: tuple[Desk, Desk, Desk],
) -> None:
    teacher, ana, _ = room
    words = ana.page.locator("#tools-words")
    speak = "You are called on to speak. You cannot draw now."
    raise_hand(ana)
    for policy in ("Staff", "Chosen"):
        teacher.choose("Who may draw", policy)
        expect(words).to_be_visible()
        teacher.page.get_by_role("button", name="Call on Ana").click()
        expect(words).to_have_text(speak)
        expect(ana.page.locator("#polite")).to_have_text(speak)
        expect(ana.page.locator("#turn")).to_be_visible()
        ana.page.get_by_role("button", name="Done").click()
        expect(words).to_contain_text("Only")
        raise_hand(ana)
    teacher.choose("Who may draw", "Everyone")
    teacher.page.get_by_role("button", name="Call on Ana").click()
    expect(ana.page.locator("#polite")).to_have_text("You are called on.")
    expect(words).to_be_hidden()


def test_two_of_one_name_are_told_apart_wherever_they_are_named(server: Server, people: People) -> None:
    teacher = teach(people.window(server.url), server)
    one, two = join(people.window(server.url, viewport=PHONE), "Ana"), join(people.window(server.url), " ana")
    page = teacher.page
    number = {desk: desk.page.evaluate("() => lectern.store.me.id.slice(1)") for desk in (one, two)}
    first, second = f"Ana ({number[one]})", f"ana ({number[two]})"
    for desk in (teacher, one, two):
        expect(desk.page.locator("#people-rows").get_by_title(first, exact=True)).to_be_visible()
        expect(desk.page.locator("#people-rows").get_by_title(second, exact=True)).to_be_visible()
    raise_hand(two)
    expect(page.locator("#polite")).to_have_text(f"{second} raised a hand. 1 hand up.")
    page.get_by_role("button", name=f"Call on {second}").click()
    expect(one.page.locator("#polite")).to_have_text(f"It is the turn of {second}.")
    post(one, "Who am I?")
    page.get_by_role("tab", name="Chat").click()
    expect(message(page, "Who am I?").locator(".by")).to_have_text(first)
    page.get_by_role("tab", name="People").click()
    one.page.get_by_role("tab", name="People").click()
    box = two.page.locator("#board-own").bounding_box()
    assert box
    two.page.mouse.move(box["x"] + 30, box["y"] + 30)
    two.page.mouse.down()
    two.page.mouse.move(box["x"] + 90, box["y"] + 90, steps=5)
    expect(page.locator("#board-overlay .tag")).to_have_text(f"ana({number[two]})")
    two.page.mouse.up()
    page.get_by_role("button", name=f"More about {first}").click()
    expect(page.get_by_role("heading", name=first)).to_be_visible()
    page.get_by_role("button", name="Change name").click()
    expect(page.get_by_label("Name shown to the class")).to_have_value("Ana")
    page.get_by_label("Name shown to the class").fill("Anita")
    page.get_by_role("button", name="Save").click()
    for desk in (teacher, one, two):
        expect(desk.page.locator("#people-rows").get_by_title("ana", exact=True)).to_be_visible()
        expect(desk.page.locator("#people-rows .name i:visible")).to_have_count(0)


def test_an_answer_shows_what_it_answers(room: tuple[Desk, Desk, Desk]) -> None:
    teacher, ana, ben = room
    for desk in room:
        desk.page.get_by_role("tab", name="Chat").click()
    post(ana, "What is a stroma?")
    message(ben.page, "What is a stroma?").hover()
    ben.page.get_by_role("button", name="Answer Ana").click()
    expect(ben.page.locator("#reply")).to_have_text("To Ana: What is a stroma?")
    post(ben, "The space around the thylakoids")
    expect(ben.page.locator("#reply")).to_be_hidden()
    answer = message(ana.page, "The space around the thylakoids")
    expect(answer.locator(".quote")).to_have_text("Ana: What is a stroma?")
    answer.locator(".quote").click()
    expect(message(ana.page, "What is a stroma?")).to_be_focused()
    message(ana.page, "What is a stroma?").hover()
    ana.page.get_by_role("button", name="Remove the message of Ana").click()  # one's own: at once
    expect(message(teacher.page, "What is a stroma?")).to_have_count(0)
    expect(message(teacher.page, "The space around the thylakoids").locator(".quote")).to_be_disabled()


def test_anothers_message_is_removed_after_a_question(room: tuple[Desk, Desk, Desk]) -> None:
    teacher, ana, ben = room
    post(ana, "Not so nice")
    teacher.page.get_by_role("tab", name="Chat").click()
    ben.page.get_by_role("tab", name="Chat").click()
    message(ben.page, "Not so nice").hover()
    expect(ben.page.get_by_role("button", name="Answer Ana")).to_be_visible()
    expect(ben.page.get_by_role("button", name="Remove the message of Ana")).to_have_count(0)
    message(teacher.page, "Not so nice").hover()
    teacher.page.get_by_role("button", name="Remove the message of Ana").click()
    dialog = teacher.page.get_by_role("dialog", name="Remove the message of Ana?")
    expect(dialog).to_contain_text("Not so nice")
    dialog.get_by_role("button", name="Cancel").click()
    expect(message(ben.page, "Not so nice")).to_have_count(1)
    message(teacher.page, "Not so nice").hover()
    teacher.page.get_by_role("button", name="Remove the message of Ana").click()
    dialog.get_by_role("button", name="Remove", exact=True).click()
    expect(message(ben.page, "Not so nice")).to_have_count(0)


def test_unread_messages_are_counted_and_the_newest_200_stay(room: tuple[Desk, Desk, Desk]) -> None:
    teacher, ana, _ = room
    teacher.page.evaluate(
        "() => { for (let n = 1; n <= 201; n += 1) lectern.session.propose('chat.post', { text: `Post ${n}` }); }"
    )
    teacher.settle()
    ana.wait("lectern.store.lesson.chat.at(-1)?.text === 'Post 201'")
    badge = ana.page.locator("#tab-chat .badge")
    expect(badge).to_have_text("99+")
    expect(badge).to_have_attribute("aria-label", "200 unread")
    ana.page.get_by_role("tab", name="Chat").click()
    expect(badge).to_be_hidden()
    expect(ana.page.locator("#messages > li")).to_have_count(200)
    expect(message(ana.page, "Post 2")).to_have_count(1)
    expect(ana.page.get_by_text("The newest 200 messages")).to_have_count(1)
    post(teacher, "One more")
    expect(message(ana.page, "One more")).to_be_in_viewport()
    expect(message(ana.page, "Post 2")).to_have_count(0)


def place(page: Page) -> str:
    """Return the first message that is wholly in view."""
    return str(page.evaluate(
        """() => {
          const top = document.getElementById("chat").getBoundingClientRect().top;
          const inView = (li) => li.getBoundingClientRect().top >= top - 1;
          const seen = [...document.querySelectorAll("#messages > li")].find(inView);
          return seen.querySelector(".text").textContent;
        }"""
    ))  # fmt: skip


def test_who_reads_the_end_stays_there_and_who_reads_further_up_too_however_the_phone_is_held(
    server: Server, people: People
) -> None:
    server.end_lessons()
    server.start_lesson()
    page = join(people.window(server.url, viewport=PHONE), "Ana").page
    page.evaluate(
        """(more) => {
          for (let n = 10; n < 40; n += 1) lectern.session.propose('chat.post', { text: `Post ${n}${more}` });
        }""",
        " and what it has to say, which is more than a phone shows in a line",
    )
    Desk(page).settle()
    page.get_by_role("tab", name="Chat").click()
    last = page.locator("#messages > li").last
    sizes = [(844, 390), (390, 844), (390, 700), (820, 1180), (390, 844)]
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        expect(last, f"{width} {height}").to_be_in_viewport(ratio=0.9)
    post(Desk(page), "And the newest")
    expect(page.locator("#messages > li").last).to_be_in_viewport(ratio=0.9)
    page.locator("#messages > li", has_text="Post 17").evaluate("(li) => li.scrollIntoView()")
    page.wait_for_function("() => document.getElementById('chat').scrollTop > 0")
    assert place(page).startswith("Post 17")
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert place(page)[:7] in ("Post 17", "Post 18"), (width, height)
    post(Desk(page), "One more")
    expect(message(page, "One more")).to_be_in_viewport()


def test_the_chat_pauses_for_students(room: tuple[Desk, Desk, Desk]) -> None:
    teacher, ana, _ = room
    post(ana, "Before")
    teacher.page.get_by_role("button", name="More", exact=True).click()
    teacher.page.get_by_role("button", name="Pause the chat for students").click()
    field = ana.page.locator("#say-text")
    expect(field).to_be_disabled()
    expect(field).to_have_attribute("placeholder", "The chat is paused")
    ana.page.get_by_role("tab", name="Chat").click()
    message(ana.page, "Before").hover()
    expect(ana.page.get_by_role("button", name="Answer Ana")).to_have_count(0)
    teacher.page.get_by_role("button", name="Open the chat again").click()
    expect(field).to_be_enabled()
    teacher.page.get_by_role("button", name="Pause the chat for students").click()
    teacher.page.keyboard.press("Escape")
    teacher.page.get_by_role("tab", name="Chat").click()
    hint = teacher.page.locator("#chat-hint")
    expect(hint).to_be_visible()
    hint.get_by_role("button", name="Open again").click()
    expect(hint).to_be_hidden()
    expect(field).to_be_enabled()


@pytest.mark.parametrize("words", ["Donaudampfschifffahrt" * 30, "مرحبا، هذا سؤال عن الورقة", "👩‍👩‍👧‍👦🏳️‍🌈" * 40])
def test_no_message_is_wider_than_the_panel(server: Server, people: People, words: str) -> None:
    server.end_lessons()
    server.start_lesson()
    ana = join(people.window(server.url, viewport=PHONE), "Ana")
    post(ana, words)
    ana.page.locator("#messages .message").hover()
    ana.page.get_by_role("button", name="Answer Ana").click()
    assert ana.page.evaluate(
        "() => [document.documentElement, chat, messages].every((e) => e.scrollWidth <= e.clientWidth)"
    )
    expect(ana.page.locator("#reply-off")).to_be_in_viewport()


@pytest.mark.parametrize("who", ["teacher", "assistant"])
def test_staff_look_after_the_class_on_a_phone(server: Server, people: People, who: str) -> None:
    people.expected += ["4003", "Failed to load resource"]
    teacher = teach(people.window(server.url, viewport=PHONE), server)
    staff = teacher
    if who != "teacher":
        window = people.window(server.url, viewport=PHONE)
        log_in(window, who)
        window.goto(teacher.page.url)
        staff = Desk(window).ready()
    ana = join(people.window(server.url), "Ana")
    page = staff.page
    staff.choose("Who may draw", "Chosen")
    expect(ana.page.locator("#tools-words")).to_be_visible()
    pen = page.get_by_role("button", name="Let Ana draw").last
    pen.click()
    expect(pen).to_have_attribute("aria-pressed", "true")
    expect(ana.page.locator("#tools-words")).to_be_hidden()

    page.get_by_role("button", name="More about Ana").click()
    page.get_by_role("button", name="Change name").click()
    page.get_by_label("Name shown to the class").fill("Ana B.")
    page.get_by_role("button", name="Save").click()
    expect(ana.page.locator("#people-rows")).to_contain_text("Ana B.")

    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("button", name="Lock the door: nobody new comes in").click()
    page.keyboard.press("Escape")
    expect(page.get_by_text("The door is locked: nobody new comes in.")).to_be_visible()
    assert server.request("POST", "/api/join/", {"code": CODE, "name": "Late"})[0] == 403
    page.get_by_role("button", name="Unlock").click()
    expect(page.locator("#door-hint")).to_be_hidden()

    page.get_by_role("button", name="More about Ana B.").click()
    page.get_by_role("button", name="Remove from the lesson").click()
    page.get_by_role("dialog", name="Remove Ana B.?").get_by_role("button", name="Remove", exact=True).click()
    expect(ana.page.get_by_role("heading", name="You were removed from the lesson")).to_be_visible()
    page.get_by_role("button", name="Readmit Ana B.").click()
    dialog = page.get_by_role("dialog", name="Let Ana B. in again?")
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Readmit Ana B.").click()
    dialog.get_by_role("button", name="Readmit").click()
    expect(page.locator("#removed")).to_be_hidden()
    ana.page.get_by_role("button", name="Try again").click()
    Desk(ana.page).ready()
    assert page.evaluate("() => document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.fixture
def come(server: Server) -> Iterator[Callable[[str], None]]:
    """Have somebody come into the lesson without a window, and stay."""
    loop, guests = Loop(), list[Client]()

    async def connect(name: str) -> None:
        guests.append(await Client.guest(server, name))
        await guests[-1].connect()

    yield lambda name: loop.run(connect(name))
    for guest in guests:
        loop.run(guest.disconnect())
    loop.close()


def test_somebody_is_found_by_name(server: Server, people: People, come: Callable[[str], None]) -> None:
    teacher = teach(people.window(server.url, viewport=PHONE), server)
    for name in ("Ana", "Zoë", "Ben", "Cem", "Dai", "Eli", "Fay"):
        come(name)
    page = teacher.page
    page.get_by_role("button", name="Find").click()
    page.get_by_role("searchbox", name="Find a person").fill("zoe")
    expect(page.locator("#people-rows > li")).to_have_count(1)
    expect(page.locator("#people-rows > li")).to_contain_text("Zoë")
    page.get_by_role("searchbox", name="Find a person").fill("nobody")
    expect(page.get_by_text("Nobody here has a name like that.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#people-rows > li")).to_have_count(8)


def test_staff_take_back_the_last_drawing_of_somebody(room: tuple[Desk, Desk, Desk]) -> None:
    teacher, ana, ben = room
    ana.draw((0.1, 0.1), (0.3, 0.3))
    ana.settle()
    ana.draw((0.5, 0.1), (0.7, 0.3))
    ben.draw((0.1, 0.5), (0.3, 0.7))
    agree(room)
    before = ben.pixels()
    teacher.page.get_by_role("button", name="More about Ana").click()
    teacher.page.get_by_role("button", name="Undo their last drawing").click()
    expect(teacher.page.locator("#polite")).to_have_text("Taken back: the last drawing of Ana.")
    agree(room)
    left = ben.page.evaluate(
        "() => lectern.store.items(lectern.store.page).map(({ by, values }) => [by, values.at[0]])"
    )
    assert len(left) == 2
    assert min(at for _, at in left) == left[0][1], "the newest of Ana's went"
    teacher.page.locator("#undo").click()
    agree(room)
    assert ben.pixels() == before


@pytest.mark.parametrize(
    ("policy", "page", "why"),
    [
        ("staff", "lectern.store.page", "Drawing was closed. Send it again when you may draw."),
        ("everyone", "'gone'", "The page was removed. It cannot be sent to another one."),
    ],
)
def test_the_tray_says_why(room: tuple[Desk, Desk, Desk], policy: str, page: str, why: str) -> None:
    teacher, ana, _ = room
    teacher.page.evaluate("(draw) => { lectern.session.propose('policy.set', { draw }); }", policy)
    teacher.settle()
    ana.wait(f"lectern.store.lesson.policy.draw === '{policy}'")
    ana.page.evaluate(
        f"""() => {{
          const box = {{ at: [10, 10], box: [50, 50], style: {{ color: "#d3322b", width: 4 }} }};
          const edits = [["add", `${{lectern.store.me.id}}.abc.1`, "box", box]];
          lectern.session.propose("board.edit", {{ page: {page}, edits }});
        }}"""
    )
    expect(ana.page.locator("#notice")).to_have_text(f"{why.split('. ')[0]}. Yours waits in the tray.")
    ana.page.locator("#tray-button").click()
    expect(ana.page.locator("#tray-rows p")).to_have_text(why)
