// Connections that are replaced before they end: by age, after a doubt, and beside each other.

import assert from "node:assert/strict";
import { test } from "node:test";

import { answer, newPage, rejection } from "./page.mjs";

const LIFETIME = 7200;

// A page whose connection has reached the age at which the client makes the next one.
async function renewing(data, options) {
  const page = newPage();
  await page.open(data, options);
  await page.waitFor(() => page.sockets.length === 2, LIFETIME);
  return page;
}

for (const [random, share] of [[0, 0.875], [1, 0.958]]) {
  test(`a connection is replaced at ${share} of its lifetime if chance says ${random}`, async () => {
    const page = newPage({ random });
    await page.open();
    const age = await page.waitFor(() => page.sockets.length === 2, LIFETIME);
    assert.ok(age >= LIFETIME * share && age <= LIFETIME * share + 16, `${age} s`);
  });
}

for (const lifetime of [40, 600]) {
  test(`a lifetime of ${lifetime} seconds alone is kept`, async () => {
    const page = newPage({ random: 1 });
    await page.open({ limits: { lifetime } });
    const age = await page.waitFor(() => page.sockets.length === 2, lifetime);
    assert.ok(age >= lifetime * 0.958 && age < lifetime, `${age} s`);
  });
}

test("the new connection has a new ticket, and is 'continued'", async () => {
  const page = await renewing();
  assert.match(page.last.url, /ticket-2$/);
  page.last.accept();
  assert.deepEqual(page.details("open"), [{ continued: false }, { continued: true }]);
});

test("the page sees no other state than open", async () => {
  const page = await renewing();
  page.last.accept();
  await page.wait(60);
  assert.deepEqual(page.details("state").map(({ state }) => state), ["open"]);
});

test("until the new connection is open the old one does all the work", async () => {
  const page = await renewing();
  page.client.send("still here");
  page.sockets[0].bring("hello");
  assert.equal(page.sockets[0].sent.at(-1), "still here");
  assert.deepEqual(page.heard, ["hello"]);
});

test("what is sent goes by the new connection as soon as it is open", async () => {
  const page = await renewing();
  page.last.accept();
  page.client.send("hello");
  assert.deepEqual(page.last.sent, ["hello"]);
  assert.ok(!page.sockets[0].sent.includes("hello"));
});

test("the old connection is heard for the overlap, then it is closed", async () => {
  const page = await renewing();
  const [old] = page.sockets;
  page.last.accept();
  await page.wait(9.5);
  old.bring("late");
  assert.equal(old.readyState, 1);
  await page.wait(0.5);
  assert.equal(old.readyState, 3);
  assert.deepEqual(page.heard, ["late"]);
  assert.equal(page.client.state, "open");
});

test("the page's data say how long the overlap is", async () => {
  const page = await renewing({ limits: { overlap: 3 } });
  page.last.accept();
  await page.wait(2.5);
  assert.equal(page.sockets[0].readyState, 1);
  await page.wait(0.5);
  assert.equal(page.sockets[0].readyState, 3);
});

test("the old connection is kept until its calls are answered", async () => {
  const page = await renewing();
  const [old] = page.sockets;
  const call = page.client.call("slow");
  page.last.accept();
  await page.wait(15);
  assert.equal(old.readyState, 1);
  old.bring({ ref: old.said.at(-1).ref, reply: { done: true } });
  assert.deepEqual(await call, { done: true });
  await page.wait(5);
  assert.equal(old.readyState, 3);
});

test("a call on the old connection that gets no reply does not keep it", async () => {
  const page = await renewing();
  const call = rejection(page.client.call("slow", {}, { timeout: 12 }));
  page.last.accept();
  await page.wait(20);
  assert.match((await call).message, /within 12 s/);
  assert.equal(page.sockets[0].readyState, 3);
});

test("the calls of the old connection end with it, and not those of the new one", async () => {
  const page = await renewing();
  const lost = rejection(page.client.call("on the old one"));
  page.last.accept();
  const kept = page.client.call("on the new one");
  page.sockets[0].end(1006);
  assert.equal((await lost).sent, true);
  page.last.bring({ ref: page.last.said[0].ref, reply: {} });
  assert.deepEqual(await kept, {});
  assert.equal(page.client.state, "open");
});

test("the new connection is replaced in its turn", async () => {
  const page = await renewing();
  page.last.accept();
  await page.waitFor(() => page.sockets.length === 3, LIFETIME);
  page.last.accept();
  await page.wait(10);
  assert.deepEqual(page.sockets.map(({ readyState }) => readyState), [3, 3, 1]);
});

test("a renewal that fails backs off, and the old connection goes on", async () => {
  const page = await renewing();
  page.last.end(1006);
  const { client } = page;
  assert.equal(client.state, "open");
  assert.equal(client.retryAt, null);
  assert.match(client.reason, /lost or refused/);
  client.send("still here");
  assert.equal(page.sockets[0].sent.at(-1), "still here");
  const moments = [Date.now()];
  for (const count of [3, 4, 5, 6, 7, 8]) {
    await page.waitFor(() => page.sockets.length === count, 60);
    moments.push(Date.now());
    page.last.end(1006);
  }
  const waits = moments.slice(1).map((moment, index) => (moment - moments[index]) / 1000);
  assert.deepEqual(waits, [...waits].sort((one, other) => one - other));
  assert.ok(waits[2] > waits[0] && waits.at(-1) > 20, `${waits}`);
  await page.waitFor(() => page.sockets.length === 9, 60);
  page.last.accept();
  assert.equal(client.reason, "");
  assert.deepEqual(page.details("open").at(-1), { continued: true });
});

test("a renewal for which the site gives no ticket now is tried again", async () => {
  const page = newPage();
  const client = await page.open();
  const give = page.answer;
  page.answer = async () => answer(503, {});
  await page.waitFor(() => page.requests.length > 3, LIFETIME);
  assert.equal(client.state, "open");
  page.answer = give;
  await page.waitFor(() => page.sockets.length === 2, 60);
  page.last.accept();
  assert.deepEqual(page.details("open").at(-1), { continued: true });
});

test("a renewal that the site refuses ends the client: the user may no longer be here", async () => {
  const page = newPage();
  const client = await page.open();
  page.answer = async () => answer(403, { error: "You are logged out." });
  await page.waitFor(() => client.state === "closed", LIFETIME);
  assert.equal(client.reason, "You are logged out.");
  assert.equal(page.last.readyState, 3);
  assert.equal(page.of("close")[0].code, 1008);
});

test("an old connection that is lost during its renewal was not continued", async () => {
  const page = await renewing();
  page.sockets[0].end(1001);
  assert.equal(page.client.state, "connecting");
  page.last.accept();
  assert.deepEqual(page.details("open").at(-1), { continued: false });
  await page.wait(60);
  assert.equal(page.sockets.length, 2);
});

test("a connection that is lost while its renewal waits has one attempt after it", async () => {
  const page = await renewing();
  page.last.end(1006);
  page.sockets[0].end(1001);
  await page.wait(10);
  assert.equal(page.sockets.length, 3);
});

test("the new connection may be lost while the old one is still kept", async () => {
  const page = await renewing();
  page.last.accept();
  page.last.end(1011);
  page.sockets[0].bring("still heard");
  await page.wait(1);
  page.last.accept();
  await page.wait(10);
  assert.equal(page.client.state, "open");
  assert.deepEqual(page.heard, ["still heard"]);
  assert.deepEqual(page.sockets.map(({ readyState }) => readyState), [3, 3, 1]);
});
