// Calls and their replies, and what else comes in.

import assert from "node:assert/strict";
import { test } from "node:test";

import { CallError, newPage, rejection, settle } from "./page.mjs";

const FAULT = { message: "Internal server error", connectionId: "c=", requestId: "r=" };

const refs = (socket) => socket.said.map(({ ref }) => ref);

test("a call is sent as a message with a ref, and resolves with its reply", async () => {
  const page = newPage();
  const client = await page.open();
  const reply = client.call("rename", { name: "Ada" });
  const [{ ref, ...message }] = page.last.said;
  assert.deepEqual(message, { name: "Ada", action: "rename" });
  assert.equal(typeof ref, "string");
  page.last.bring({ ref, reply: { name: "Ada" } });
  assert.deepEqual(await reply, { name: "Ada" });
  assert.deepEqual(page.heard, []);
});

test("the fault that follows a handler's error is not blamed on the next call", async () => {
  const page = newPage();
  const client = await page.open();
  const failed = rejection(client.call("fail"));
  const next = client.call("rename");
  const [first, second] = refs(page.last);
  page.last.bring({ ref: first, error: { status: 500, text: "Internal server error" } }, FAULT);
  page.last.bring({ ref: second, reply: {} });
  assert.equal((await failed).status, 500);
  assert.deepEqual(await next, {});
});

test("a reply may be any JSON", async () => {
  const page = newPage();
  const client = await page.open();
  for (const answer of ["", 0, false, null, [1]]) {
    const reply = client.call("any");
    page.last.bring({ ref: refs(page.last).at(-1), reply: answer });
    assert.deepEqual(await reply, answer);
  }
  assert.deepEqual(page.heard, []);
});

test("the view's key names the handler, in calls and pings", async () => {
  const page = newPage();
  const client = await page.open({ key: "verb" });
  rejection(client.call("rename"));
  await page.wait(600);
  assert.deepEqual(page.last.said.map(({ verb }) => verb), ["rename", "ping"]);
});

test("the page cannot take another call's ref, or another action", async () => {
  const page = newPage();
  const client = await page.open();
  rejection(client.call("rename", { action: "delete", ref: "own" }));
  const [{ action, ref }] = page.last.said;
  assert.equal(action, "rename");
  assert.notEqual(ref, "own");
});

test("replies reach their calls in any order", async () => {
  const page = newPage();
  const client = await page.open();
  const [first, second] = [client.call("a"), client.call("b")];
  const [one, two] = refs(page.last);
  page.last.bring({ ref: two, reply: { of: "b" } }, { ref: one, reply: { of: "a" } });
  assert.deepEqual([await first, await second], [{ of: "a" }, { of: "b" }]);
});

test("an error has the status and text of the view's refusal", async () => {
  const page = newPage();
  const client = await page.open();
  const call = rejection(client.call("delete"));
  const [ref] = refs(page.last);
  page.last.bring({ ref, error: { status: 403, text: "Only for owners." } });
  const error = await call;
  assert.ok(error instanceof CallError && error instanceof Error);
  const { name, message, status, sent } = error;
  assert.deepEqual([name, message, status, sent], ["CallError", "Only for owners.", 403, true]);
});

test("a call without a reply in time is rejected, and a late reply is ignored", async () => {
  const page = newPage();
  const client = await page.open({}, { callTimeout: 5 });
  const call = rejection(client.call("slow"));
  await page.wait(4.5);
  assert.equal(await Promise.race([call, "waiting"]), "waiting");
  await page.wait(0.5);
  const { message, status, sent } = await call;
  assert.deepEqual([message, status, sent], ["No reply within 5 s.", 0, true]);
  page.last.bring({ ref: refs(page.last)[0], reply: {} });
  assert.deepEqual(page.heard, []);
});

test("a call may have a time-out of its own", async () => {
  const page = newPage();
  const client = await page.open();
  const call = rejection(client.call("slow", {}, { timeout: 2 }));
  await page.wait(2);
  assert.match((await call).message, /within 2 s/);
});

test("a call has 30 seconds where the page says nothing", async () => {
  const page = newPage();
  const client = await page.open();
  let error = null;
  client.call("slow").catch((reason) => (error = reason));
  await page.wait(29.5);
  assert.equal(error, null);
  await page.wait(0.5);
  assert.match(error.message, /within 30 s/);
});

test("a call without a time-out waits", async () => {
  const page = newPage();
  const client = await page.open();
  const call = client.call("slow", {}, { timeout: Infinity });
  await page.wait(300);
  page.last.bring({ ref: refs(page.last)[0], reply: { done: true } });
  assert.deepEqual(await call, { done: true });
});

test("a reply in time is not followed by a time-out", async () => {
  const page = newPage();
  const client = await page.open({}, { callTimeout: 5 });
  const call = client.call("quick");
  page.last.bring({ ref: refs(page.last)[0], reply: {} });
  await page.wait(10);
  assert.deepEqual(await call, {});
});

test("a connection that is lost before the reply rejects its calls, which were sent", async () => {
  const page = newPage();
  const client = await page.open();
  const call = rejection(client.call("rename"));
  page.last.end(1006);
  const { message, status, sent } = await call;
  assert.match(message, /lost before the reply/);
  assert.deepEqual([status, sent], [0, true]);
  await page.wait(1);
  page.last.accept();
  assert.deepEqual(page.last.sent, []);
});

test("a call that never left says that it is safe to call again, and is not sent later", async () => {
  const page = newPage();
  const client = await page.connect({}, { callTimeout: 5 });
  const call = rejection(client.call("rename"));
  await page.wait(5);
  assert.equal((await call).sent, false);
  page.last.accept();
  assert.deepEqual(page.last.sent, []);
});

test("a call in the queue ends with the queue's time-out, if that is shorter", async () => {
  const page = newPage();
  const client = await page.connect({}, { queueTimeout: 5 });
  const call = rejection(client.call("rename"));
  await page.wait(5);
  const { message, sent } = await call;
  assert.deepEqual([message, sent], ["No connection was open in time.", false]);
  assert.deepEqual(page.details("dropped"), []);
});

test("a call after close() is rejected with its reason", async () => {
  const page = newPage();
  const client = await page.open();
  client.close("Goodbye.");
  const { message, sent } = await rejection(client.call("rename"));
  assert.deepEqual([message, sent], ["Goodbye.", false]);
});

test("a call that is too large is rejected", async () => {
  const page = newPage();
  const client = await page.open({ limits: { frame: 60 } });
  const error = await rejection(client.call("rename", { name: "é".repeat(30) }));
  assert.ok(error instanceof RangeError);
  assert.deepEqual(page.last.sent, []);
});

// What is no reply

for (const frame of [
  { ref: "1", reply: { text: "hello" }, more: true },
  { ref: "1", text: "hello" },
  { reply: { text: "hello" }, error: { status: 1 } },
  { message: "hello" },
  { message: "hello", connectionId: "c=" },
  { pong: "yes" },
  null,
  5,
]) {
  test(`${JSON.stringify(frame)} is a message of the site`, async () => {
    const page = newPage();
    const client = await page.open();
    let settled = false;
    client.call("rename").finally(() => (settled = true)).catch(() => {});
    page.last.bring(JSON.stringify(frame));
    await settle();
    assert.deepEqual(page.of("message").map(({ json }) => json), [frame]);
    assert.equal(settled, false);
  });
}

test("a message has its text as data, and what it says as json", async () => {
  const page = newPage();
  await page.open();
  page.last.bring('{"type": "talk"}', "<p>hello</p>");
  const [json, html] = page.of("message");
  assert.deepEqual([json.data, json.json], ['{"type": "talk"}', { type: "talk" }]);
  assert.deepEqual([html.data, html.json], ["<p>hello</p>", undefined]);
  assert.ok(json instanceof MessageEvent);
});

test("an empty frame is no message", async () => {
  const page = newPage();
  await page.open();
  page.last.bring("");
  assert.deepEqual(page.heard, []);
});

test("the same text twice on one connection are two messages", async () => {
  const page = newPage();
  await page.open();
  page.last.bring("again", "again");
  assert.deepEqual(page.heard, ["again", "again"]);
});

// What Django has not answered

test("a fault rejects the only call, with 502, and is told", async () => {
  const page = newPage();
  const client = await page.open();
  const call = rejection(client.call("rename"));
  page.last.bring(FAULT);
  const { message, status } = await call;
  assert.deepEqual([message, status], ["Internal server error", 502]);
  assert.deepEqual(page.details("fault"), [
    { message: "Internal server error", requestId: "r=" },
  ]);
  assert.deepEqual(page.heard, []);
});

test("a fault rejects none of two calls", async () => {
  const page = newPage();
  const client = await page.open();
  const calls = [client.call("a"), client.call("b")];
  page.last.bring(FAULT);
  const [one, two] = refs(page.last);
  page.last.bring({ ref: one, reply: { of: "a" } }, { ref: two, reply: { of: "b" } });
  assert.deepEqual(await Promise.all(calls), [{ of: "a" }, { of: "b" }]);
  assert.equal(page.of("fault").length, 1);
});

test("a fault may be that of a frame that was just sent, so the call goes on", async () => {
  const page = newPage();
  const client = await page.open({}, { callTimeout: 100 });
  client.send("hello");
  await page.wait(20);
  const call = client.call("rename");
  page.last.bring(FAULT);
  page.last.bring({ ref: refs(page.last)[0], reply: {} });
  assert.deepEqual(await call, {});
});

test("a fault 30 seconds after the last other frame is the call's", async () => {
  const page = newPage();
  const client = await page.open();
  client.send("hello");
  await page.wait(30);
  const call = rejection(client.call("rename"));
  page.last.bring(FAULT);
  assert.equal((await call).status, 502);
});

test("a fault without a call is told", async () => {
  const page = newPage();
  await page.open();
  page.last.bring(FAULT);
  assert.equal(page.details("fault").length, 1);
});
