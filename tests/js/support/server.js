// A server in memory that speaks the protocol as the real one does, over a line that does whatever a test wants.
import { readOp } from "../../../static/js/kinds.js";
import { apply, fresh, permit, toJSON, digests } from "../../../static/js/lesson.js";
import { LIMITS } from "../../../static/js/protocol.js";
import { DoorError } from "../../../static/js/transport/doors.js";

export const ANA = { id: "u1", name: "Ana", role: "student", color: "#8b4fbf" };
export const BEN = { id: "u2", name: "Ben", role: "student", color: "#2f7d32" };
export const TEA = { id: "u3", name: "Tea", role: "instructor", color: "#336699" };
const PEOPLE = new Map([ANA, BEN, TEA].map((person) => [person.id, person]));
const LATENCY = 20; // ms each way

/** One lesson: the log, its fold, and the connections as cursors into it. */
export class FakeServer {
  epoch = "5be0c41d";
  log = [];
  state = fresh();
  connections = new Set();
  /** What a test does to the line and to ops. */
  faults = {
    lose: () => false, //       (events frame) never arrives
    repeat: () => false, //     (events frame) arrives twice
    delay: () => 0, //          (events frame) ms later than it should, overtaken by others
    refuse: () => null, //      (op) a `refused` frame instead of the log
    swallow: () => false, //    (op) lost without a trace: a process died over it
  };
  ringFloor = 0;
  limits = LIMITS;
  retry = [200, 1000];
  asked = { states: [], tickets: 0, rejoins: 0 };
  refused = new Set(); // for good; nobody remembers that for the client, whose answer may be lost on the way

  constructor(clock, random) {
    this.clock = clock;
    this.random = random;
    const pages = ["p1", "p2"].map((page) => ({ page, kind: "blank", title: page }));
    this.commit("lesson.started", null, { title: "Photosynthesis", policy: {}, pages });
    this.introduce(TEA.id);
  }

  get head() {
    return this.log.length;
  }

  /** Number an event, fold it, send it on. */
  commit(kind, by, data, op = null) {
    if (by !== null) this.introduce(by);
    const at = Math.max(this.clock.now(), this.state.at);
    const event = structuredClone({ seq: this.head + 1, kind, by, at, op, data });
    this.log.push(event);
    apply(this.state, structuredClone(event));
    for (const connection of this.connections) connection.advance();
    return event.seq;
  }

  introduce(id) {
    if (this.state.people.has(id)) return;
    const { name, role, color } = PEOPLE.get(id);
    this.commit("person.joined", null, { participant: id, name, role, color }, `joined:${id}`);
  }

  seqOf(by, op) {
    return this.log.find((event) => event.by === by && event.op === op)?.seq;
  }

  /** The database lost everything after `seq`. */
  lose(seq) {
    this.log.length = seq;
    this.state = fresh();
    for (const event of this.log) apply(this.state, structuredClone(event));
    this.epoch = (parseInt(this.epoch, 16) + 1).toString(16);
    this.closeAll(4200);
  }

  closeAll(code, bye = {}) {
    for (const connection of [...this.connections]) connection.close(code, bye);
  }

  transport(person) {
    return { open: (listener) => new Wire(this, person, listener).ends };
  }

  pass(person) {
    const live = { socket: "/live/lessons/7/socket/" };
    return { lesson: 7, participant: person, ticket: `${person.id}:0`, live, state: "/live/lessons/7/state/" };
  }

  /** Refuse what the real doors would. */
  doors(person) {
    const answer = async (make) => {
      await new Promise((resolve) => this.clock.setTimeout(resolve, LATENCY));
      return make();
    };
    return {
      state: ({ ticket, boards, atLeast }) =>
        answer(() => {
          this.asked.states.push({ boards, atLeast });
          if (this.expired?.(ticket)) throw new DoorError(401);
          const state = structuredClone(toJSON(this.state));
          const page = boards === "current" ? this.state.current : boards;
          state.boards = Object.fromEntries(Object.entries(state.boards).filter(([id]) => id === page));
          return { epoch: this.epoch, seq: this.head, at: this.state.at, digest: Object.fromEntries(digests(this.state)), state };
        }),
      ticket: (ticket) =>
        answer(() => {
          this.asked.tickets += 1;
          if (this.expired?.(ticket)) throw new DoorError(401);
          return { ticket: `${person.id}:fresh` };
        }),
      rejoin: () =>
        answer(() => {
          this.asked.rejoins += 1;
          if (this.stranger) throw new DoorError(403);
          return this.pass(person);
        }),
    };
  }
}

/** One connection, both ends of it: frames take their time, and none arrives after the cut. */
class Wire {
  sent = null; // the cursor; null: waits for hello or sync
  held = null;
  open = true;

  constructor(server, person, listener) {
    this.server = server;
    this.person = person;
    this.listener = listener;
    this.ends = { send: (text) => this.later(() => this.hear(text)), drop: () => this.cut() };
    this.later(() => {
      if (server.offline) return this.lost(1006);
      server.connections.add(this);
      listener.opened();
    });
  }

  later(fn, ms = LATENCY) {
    this.server.clock.setTimeout(() => this.open && fn(), ms);
  }

  /** The client hears no more of it, nor does the server. */
  cut() {
    this.open = false;
    this.server.connections.delete(this);
  }

  lost(code) {
    this.cut();
    this.listener.closed(code);
  }

  close(code, bye) {
    this.server.connections.delete(this);
    if (bye) this.say({ type: "bye", code, message: "", ...bye });
    this.later(() => this.lost(code));
  }

  say(frame, ms = LATENCY) {
    const text = JSON.stringify(frame);
    this.later(() => this.listener.heard(text), ms);
  }

  hear(text) {
    const said = JSON.parse(text);
    for (const frame of Array.isArray(said) ? said : [said]) if (this.server.connections.has(this)) this[frame.type]?.(frame);
  }

  // ---- frames

  hello({ ticket, epoch, since, at }) {
    const { server } = this;
    if (server.expired?.(ticket)) return this.close(4001);
    if (server.state.people.get(this.person.id)?.removed) return this.close(4003);
    if (server.state.status === "ended") return this.close(4004);
    const resumes = epoch === server.epoch && this.reaches(since, at);
    this.say({
      type: "welcome", protocol: 1, epoch: server.epoch, head: server.head, mode: resumes ? "resume" : "snapshot", me: this.person,
      ticket: `${this.person.id}:${server.clock.now()}`, limits: server.limits, pace: 50, retry: server.retry, now: server.clock.now(),
    });
    const here = [...server.connections].map((connection) => connection.person);
    this.say({ type: "presence", count: here.length, here, left: [] });
    this.sent = resumes ? since : null;
    this.advance();
    this.pinging();
  }

  sync({ since, at }) {
    this.server.synced = (this.server.synced ?? 0) + 1;
    if (!this.reaches(since, at)) return this.close(4200);
    this.sent = since;
    this.advance();
  }

  time({ t }) {
    this.say({ type: "time", t, now: this.server.clock.now() });
  }

  signal({ kind, data }) {
    for (const connection of this.server.connections) connection.say({ type: "signals", signals: [{ kind, by: this.person.id, data }] });
  }

  /** The lane of the real door. */
  op({ id, kind, data }) {
    const { server } = this;
    if (this.held !== null && this.held !== id) return this.refuse(id, { code: "try_again", retry: true });
    const limited = this.limited();
    const refusal = limited ? { code: "rate_limited", retry: true, after: limited } : server.faults.refuse({ id, kind, data });
    this.held = refusal?.retry ? id : null;
    if (refusal) return this.refuse(id, refusal);
    if (server.faults.swallow({ id, kind, data })) return;
    const known = server.seqOf(this.person.id, id);
    if (known) return this.say({ type: "done", id, seq: known });
    this.propose(id, kind, data);
  }

  propose(id, kind, data) {
    const { server, person } = this;
    try {
      const event = readOp(kind, data);
      const code = permit(server.state, person.id, event.kind, event.data);
      if (code) this.refuse(id, { code });
      else server.commit(event.kind, person.id, event.data, id);
    } catch ({ code }) {
      this.refuse(id, { code });
    }
  }

  refuse(id, refusal) {
    if (!refusal.retry) this.server.refused.add(id);
    this.say({ type: "refused", id, message: refusal.code, retry: false, ...refusal });
  }

  /** ms until the participant may send again; 0: now. The meter is the participant's, not the connection's. */
  limited() {
    const { limits, clock } = this.server;
    const meters = (this.server.meters ??= new Map());
    const now = clock.now();
    const free = Math.max(meters.get(this.person.id) ?? 0, now) + 1000 / limits.ops;
    const wait = free - now - (limits.ops_burst * 1000) / limits.ops;
    if (wait <= 0) meters.set(this.person.id, free);
    else this.server.limited = (this.server.limited ?? 0) + 1;
    return Math.max(0, Math.ceil(wait));
  }

  // ---- the cursor

  reaches(since, at) {
    const { server } = this;
    if (since === null || since > server.head || since < server.ringFloor) return false;
    return since === 0 || server.log[since - 1].at === at;
  }

  advance() {
    if (this.sent === null || this.sent >= this.server.head) return;
    const events = this.server.log.slice(this.sent, this.sent + 200);
    this.sent += events.length;
    const frame = { type: "events", events };
    const { lose, repeat, delay } = this.server.faults;
    if (!lose(frame)) this.say(frame, LATENCY + delay(frame));
    if (repeat(frame)) this.say(frame, LATENCY + delay(frame));
    this.later(() => this.ping(), 2_000); // a burst has ended, as far as one can know
    this.advance();
  }

  pinging() {
    this.later(() => {
      this.ping();
      this.pinging();
    }, 25_000);
  }

  ping() {
    const { state } = this.server;
    const digest = [state.current, this.server.lies ?? digests(state).get(state.current)];
    this.say({ type: "ping", head: this.server.head, digest, pace: 50 });
  }
}
