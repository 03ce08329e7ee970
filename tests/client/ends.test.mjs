// How connections end, what the page is told of it, and what ends the client.

import assert from "node:assert/strict";
import { test } from "node:test";

import { newPage, rejection, settle, uncaught } from "./page.mjs";

const REASONS = {
  1000: /closed the connection/,
  1001: /limit is reached, or it stops/,
  1005: /without a code/,
  1006: /lost or refused/,
  1008: /refuses this client for now/,
  1009: /too large/,
  1011: /has failed/,
  1012: /restarts/,
  4321: /the code 4321/,
};

for (const [code, reason] of Object.entries(REASONS)) {
  test(`an end with ${code} is told, and a new connection is made`, async () => {
    const page = newPage();
    const client = await page.open();
    page.last.end(Number(code));
    const told = page.details("state").at(-1);
    assert.equal(told.state, "waiting");
    assert.equal(told.code, Number(code));
    assert.match(told.reason, reason);
    assert.equal(told.retryAt, client.retryAt);
    assert.equal(client.reason, told.reason);
    await page.wait(30);
    assert.equal(page.sockets.length, 2);
    page.last.accept();
    assert.equal(client.state, "open");
    assert.equal(client.reason, "");
    assert.equal(client.retryAt, null);
  });
}

test("the states are told in their order, each once", async () => {
  const page = newPage();
  const client = await page.connect();
  const early = client.state;
  page.last.accept();
  page.last.end(1001);
  await page.wait(1);
  client.close();
  const states = page.details("state").map(({ state }) => state);
  assert.equal(early, "connecting");
  assert.deepEqual(states, ["open", "waiting", "connecting", "closed"]);
});

test("readyState and OPEN are those of a WebSocket", async () => {
  const page = newPage();
  const client = await page.connect();
  assert.equal(client.readyState, 0);
  page.last.accept();
  assert.equal(client.readyState, client.OPEN);
  assert.equal(client.OPEN, 1);
  page.last.end(1006);
  assert.equal(client.readyState, 0);
  client.close();
  assert.equal(client.readyState, 3);
});

test("a handshake that gets no answer is given up, and another one is tried", async () => {
  const page = newPage();
  const client = await page.connect({ limits: { handshake: 5 } });
  await page.wait(4.5);
  assert.equal(client.state, "connecting");
  await page.wait(0.5);
  assert.equal(client.state, "waiting");
  assert.equal(page.sockets[0].readyState, 3);
  await page.wait(1);
  assert.equal(page.sockets.length, 2);
  page.last.accept();
  assert.equal(client.state, "open");
});

test("a handshake has 30 seconds where the page says nothing", async () => {
  const page = newPage();
  const client = await page.connect();
  await page.wait(29.5);
  assert.equal(client.state, "connecting");
  await page.wait(0.5);
  assert.equal(client.state, "waiting");
});

test("a handshake that was answered in time is not given up later", async () => {
  const page = newPage();
  const client = await page.open();
  await page.wait(40);
  assert.equal(client.state, "open");
  assert.equal(page.sockets.length, 1);
});

test("an end is told once, though the handshake's time runs out as well", async () => {
  const page = newPage();
  await page.connect();
  page.last.end(1006);
  page.last.end(1006);
  assert.equal(page.details("state").length, 1);
});

test("close() ends the connection, and nothing is tried again", async () => {
  const page = newPage();
  const client = await page.open();
  client.close("Goodbye.");
  assert.equal(client.state, "closed");
  assert.equal(client.reason, "Goodbye.");
  await page.wait(8000, 5);
  await page.goOnline();
  await page.hide();
  await page.show();
  assert.equal(page.sockets.length, 1);
  assert.equal(page.last.readyState, 3);
  const [end] = page.of("close");
  assert.deepEqual([end.code, end.reason], [1000, "Goodbye."]);
});

test("close() says a reason of its own", async () => {
  const page = newPage();
  const client = await page.open();
  client.close();
  assert.match(client.reason, /The page has closed/);
});

test("a second close() says nothing", async () => {
  const page = newPage();
  const client = await page.open();
  client.close("Goodbye.");
  client.close();
  assert.equal(client.reason, "Goodbye.");
  assert.equal(page.of("close").length, 1);
});

test("close() rejects the calls and drops the queue", async () => {
  const page = newPage();
  const client = await page.open();
  const sent = rejection(client.call("rename"));
  page.last.readyState = 2;
  const waiting = rejection(client.call("rename"));
  client.send({ action: "talk" });
  client.close("Goodbye.");
  assert.equal((await sent).sent, true);
  assert.equal((await waiting).sent, false);
  assert.equal((await waiting).message, "Goodbye.");
  client.retry();
  await settle();
  page.last.accept();
  await page.wait(60);
  assert.deepEqual(page.last.sent, []);
  assert.deepEqual(page.details("dropped"), [{ frame: '{"action":"talk"}', reason: "Goodbye." }]);
});

test("close() while a ticket is on its way opens nothing", async () => {
  const page = newPage();
  page.answer = () => new Promise((resolve) => (page.give = resolve));
  const client = await page.connect();
  client.close();
  page.give({ ok: true, json: async () => ({ ws_token: "late" }) });
  await settle();
  assert.equal(page.sockets.length, 0);
  assert.equal(client.state, "closed");
});

test("close() during a handshake gives it up", async () => {
  const page = newPage();
  const client = await page.connect();
  client.close();
  await page.wait(60);
  assert.equal(page.last.readyState, 3);
  assert.equal(page.sockets.length, 1);
});

test("close() while it waits makes no attempt", async () => {
  const page = newPage();
  const client = await page.open();
  page.last.end(1006);
  client.close();
  await page.wait(60);
  assert.equal(page.sockets.length, 1);
  assert.equal(client.retryAt, null);
});

test("close() ends the connection, too, that a newer one has just replaced", async () => {
  const page = newPage();
  const client = await page.open();
  const lost = rejection(client.call("rename"));
  await page.goOnline();
  page.last.accept();
  client.close();
  page.sockets[0].bring("too late");
  assert.equal((await lost).sent, true);
  assert.deepEqual(page.sockets.map(({ readyState }) => readyState), [3, 3]);
  assert.deepEqual(page.heard, []);
});

test("retry() opens a closed client again, with a new ticket", async () => {
  const page = newPage();
  const client = await page.open();
  client.close();
  client.retry();
  await settle();
  page.last.accept();
  assert.equal(client.state, "open");
  assert.equal(page.sockets.length, 2);
  assert.match(page.last.url, /ticket-2$/);
  client.send("again");
  assert.deepEqual(page.last.sent, ["again"]);
});

test("what was reopened by retry() lasts as before", async () => {
  const page = newPage();
  const client = await page.open();
  client.close();
  client.retry();
  await settle();
  page.last.accept();
  await page.wait(560);
  assert.deepEqual(page.last.said, [{ action: "ping" }]);
  page.last.end(1006);
  await page.wait(1);
  assert.equal(page.sockets.length, 3);
});

test("retry() in the close listener works", async () => {
  const page = newPage();
  const client = await page.open();
  client.addEventListener("close", () => client.retry(), { once: true });
  client.close();
  await settle();
  assert.equal(client.state, "connecting");
});

test("retry() tries now instead of waiting, and once", async () => {
  const page = newPage({ random: 1 });
  const client = await page.open();
  page.last.end(1008);
  client.retry();
  client.retry();
  await settle();
  assert.equal(page.sockets.length, 2);
  page.last.accept();
  await page.wait(40);
  assert.equal(page.sockets.length, 2);
});

test("retry() leaves an open connection alone", async () => {
  const page = newPage();
  const client = await page.open();
  client.retry();
  await page.wait(1);
  assert.equal(page.sockets.length, 1);
  assert.equal(client.state, "open");
});

for (const type of ["state", "open", "message", "close", "dropped"]) {
  test(`a '${type}' listener that throws breaks nothing`, async () => {
    const page = newPage();
    const errors = await uncaught(async () => {
      const client = await page.connect({}, { queue: 1 });
      client.addEventListener(type, () => {
        throw new Error(`of the ${type} listener`);
      });
      client.send("first");
      client.send("second");
      page.last.accept();
      page.last.bring("hello", "hello again");
      page.last.end(1006);
      await page.wait(1);
      page.last.accept();
      client.send("third");
      client.close();
    });
    assert.ok(errors.length);
    assert.deepEqual([...new Set(errors)], [`of the ${type} listener`]);
    assert.deepEqual(page.sockets.map(({ sent }) => sent), [["first"], ["third"]]);
    assert.deepEqual(page.heard, ["hello", "hello again"]);
    assert.deepEqual(page.details("dropped").map(({ frame }) => frame), ["second"]);
    assert.equal(page.of("close").length, 1);
  });
}

test("onopen, onmessage and onclose are called as those of a WebSocket", async () => {
  const page = newPage();
  const client = await page.connect();
  const seen = [];
  client.onopen = ({ detail }) => seen.push(["open", detail.continued]);
  client.onmessage = ({ data }) => seen.push(["message", data]);
  client.onclose = ({ code }) => seen.push(["close", code]);
  page.last.accept();
  page.last.bring("hello");
  client.onmessage = null;
  page.last.bring("unheard");
  client.close();
  assert.deepEqual(seen, [
    ["open", false],
    ["message", "hello"],
    ["close", 1000],
  ]);
});
