"""Ops at the socket door of a real server: each once, in order, and judged by what those before it made."""

import time

from classrooms.closes import Close
from tests.support.client import Client
from tests.support.server import Server
from tests.support.socket import PAGE, Frame, add, edit, op, seated
from tests.support.waiting import until_async


async def test_an_op_is_acknowledged_by_its_own_event_alone(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana:
        event = await ana.propose("chat.post", {"text": "hello"})
        assert event["by"] == ana.id
        assert event["op"] == f"{ana.client}:1"
        assert "done" not in ana.frames
        assert server.events(lesson)[-1] == event


async def test_a_repeat_is_answered_done_with_its_first_seq(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana:
        event = await ana.propose("chat.post", {"text": "once"})
        await ana.send({"type": "op", "id": event["op"], "kind": "chat.post", "data": {"text": "once"}})
        await ana.wait_until(lambda: "done" in ana.frames)
        assert ana.frames["done"] == [{"type": "done", "id": event["op"], "seq": event["seq"]}]
    assert len(server.events(lesson)) == event["seq"]


async def test_a_repeat_is_done_even_where_it_would_be_refused_now(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana, await Client.staff(server, lesson) as teacher:
        event = await ana.propose("chat.post", {"text": "the answer got lost"})
        await teacher.propose("policy.set", {"chat": False})
        await ana.send({"type": "op", "id": event["op"], "kind": "chat.post", "data": {"text": "the answer got lost"}})
        await ana.wait_until(lambda: "done" in ana.frames or "refused" in ana.frames)
        assert ana.frames.get("done") == [{"type": "done", "id": event["op"], "seq": event["seq"]}]


async def test_duplicates_in_one_frame_happen_once(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana:
        post = ana.new_op("chat.post", {"text": "twice in a frame"})
        await ana.send_ops(post, post)
        await ana.wait_until(lambda: "done" in ana.frames)
        assert ana.frames["done"][0]["seq"] == ana.outcomes[post["id"]]["seq"]
    assert [event["kind"] for event in server.events(lesson)] == ["lesson.started", "person.joined", "chat.posted"]


async def test_add_set_and_undo_in_one_frame_all_end_confirmed(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana:
        item = f"{ana.id}.{ana.client}.1"
        ops = [
            ana.new_op("board.edit", edit(add(item))),
            ana.new_op("board.edit", edit(["set", item, {"at": [500, 500]}])),
            ana.new_op("board.edit", edit(["set", item, {"at": [10, 10]}]) | {"guard": 4}),
            ana.new_op("board.edit", edit(["remove", item]) | {"guard": 5}),
        ]
        await ana.send_ops(*ops)
        await ana.wait_until(lambda: len(ana.outcomes) == 4)
        assert [ana.outcomes[one["id"]]["seq"] for one in ops] == [3, 4, 5, 6]
        assert ana.state.boards[PAGE].items[item].fields["at"].value == [10, 10]
        assert ana.state.boards[PAGE].items[item].fields["alive"].value is False


async def test_a_teacher_adds_a_page_draws_on_it_and_shows_it_in_one_frame(server: Server, lesson: int) -> None:
    async with await Client.staff(server, lesson) as teacher:
        page = f"{teacher.id}.{teacher.client}.1"
        ops = [
            teacher.new_op("page.add", {"page": page, "kind": "blank", "title": "More"}),
            teacher.new_op("board.edit", edit(add(f"{teacher.id}.{teacher.client}.2"), page=page)),
            teacher.new_op("page.show", {"page": page}),
        ]
        await teacher.send_ops(*ops)
        await teacher.wait_until(lambda: len(teacher.outcomes) == 3)
        assert teacher.state.current == page
        assert len(teacher.state.boards[page].items) == 1
        assert "refused" not in teacher.frames


async def test_an_outbox_of_500_ops_with_dependants_ends_confirmed_once_each(impatient: Server) -> None:
    async with await Client.staff(impatient, 1) as teacher:
        ops: list[Frame] = []
        for n in range(125):
            item = f"{teacher.id}.{teacher.client}.{4 * n + 1}"
            ops.append(teacher.new_op("board.edit", edit(add(item))))
            ops.append(teacher.new_op("board.edit", edit(["set", item, {"at": [n, n]}])))
            ops.append(teacher.new_op("board.edit", edit(["remove", item])))
            ops.append(teacher.new_op("board.edit", edit(["restore", item])))
        await drain(teacher, ops, in_flight=20)
        assert [teacher.outcomes[one["id"]]["op"] for one in ops] == [one["id"] for one in ops]
        assert teacher.state.boards[PAGE].live == 125
        mine = [event["op"] for event in impatient.events(1) if event["by"] == teacher.id]
        assert mine == [one["id"] for one in ops]


async def drain(client: Client, ops: list[Frame], in_flight: int) -> None:
    """Send ops in order as an outbox does, at most so many unanswered."""
    while ops:
        room = in_flight - len(client.unanswered)
        batch, ops = ops[:room], ops[room:]
        await client.send_ops(*batch)
        await client.wait_until(lambda: len(client.unanswered) <= in_flight // 2)
    await client.wait_until(lambda: not client.unanswered)


async def test_nothing_overtakes_an_op_that_may_be_tried_again(server: Server, lesson: int) -> None:
    async with seated(server, server.join("Ana")) as socket:
        await socket.say(*[op(n, "hand.raise" if n % 2 else "hand.lower") for n in range(1, 46)])
        first = await socket.hear("refused", code="rate_limited")
        refused = int(first["id"].split(":")[1])
        assert first["retry"] is True
        assert 0 < first["after"] <= 200
        for later in range(refused + 1, 46):
            frame = await socket.hear("refused", id=f"9f3a01c2:{later}")
            assert (frame["code"], frame["retry"]) == ("try_again", True)

        due = time.monotonic() + first["after"] / 1000
        await socket.say(op(45, "hand.raise"))
        assert (await socket.hear("refused", id="9f3a01c2:45"))["code"] == "try_again"
        await until_async(lambda: time.monotonic() > due, saying="the pause that the refusal asked for is over")
        await socket.say(op(refused, "hand.raise" if refused % 2 else "hand.lower"))
        await socket.events(2 + refused)
    logged = [event["op"] for event in server.events(lesson) if event["by"]]
    assert logged == [f"9f3a01c2:{n}" for n in range(1, refused + 1)]


async def test_three_times_too_fast_in_ten_seconds_is_flooding(server: Server, lesson: int) -> None:
    async with seated(server, server.join("Ana")) as socket:
        ops = [op(n, "hand.raise") for n in range(1, 42)]
        await socket.say(*ops, *[ops[-1]] * 10)
        code, bye = await socket.closed()
    assert code == Close.FLOODING
    assert bye is not None
    assert bye["message"] == "Too much was sent too fast."


async def test_an_op_that_names_a_silent_person_introduces_them(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana, await Client.staff(server, lesson) as teacher:
        await teacher.propose("policy.set", {"draw": "chosen"})
        allowed = await teacher.propose("draw.allow", {"participant": ana.id, "allowed": True})
        joined = server.events(lesson)[allowed["seq"] - 2]
        assert (joined["kind"], joined["data"]["participant"], joined["by"]) == ("person.joined", ana.id, None)
        assert joined["data"]["role"] == "student"
        drawn = await ana.propose("board.edit", edit(add(f"{ana.id}.{ana.client}.1")))
        assert drawn["seq"] == allowed["seq"] + 1


async def test_a_student_cannot_put_silent_people_into_the_log(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana, await Client.guest(server, "Ben") as ben:
        refused = await ana.propose("person.change", {"participant": ben.id, "name": "Fool"})
        assert refused["code"] == "not_allowed"
    assert [event["kind"] for event in server.events(lesson)] == ["lesson.started"]


async def test_a_silent_student_may_change_their_own_name(server: Server, lesson: int) -> None:
    async with await Client.guest(server, "Ana") as ana:
        changed = await ana.propose("person.change", {"participant": ana.id, "name": "Anna"})
        assert changed["kind"] == "person.changed"
        assert ana.state.people[ana.id].name == "Anna"
    assert len([one for one in server.events(lesson) if one["kind"] == "person.joined"]) == 1
