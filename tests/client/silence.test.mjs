// Connections that are silent, computers that sleep, and pages that nobody sees.

import assert from "node:assert/strict";
import { test } from "node:test";

import { newPage, rejection } from "./page.mjs";

const PING = { action: "ping" };

test("a connection that is silent for 9 minutes is pinged, before its 10 are over", async () => {
  const page = newPage();
  await page.open();
  const silent = await page.waitFor(() => page.last.sent.length, 600);
  assert.ok(silent >= 540 && silent <= 556, `${silent} s`);
  assert.deepEqual(page.last.said, [PING]);
  await page.waitFor(() => page.last.sent.length === 2, 600);
  assert.deepEqual(page.last.said, [PING, PING]);
});

test("a busy connection is never pinged, whichever end speaks", async () => {
  const page = newPage();
  const client = await page.open();
  for (const _ of [1, 2, 3]) {
    await page.wait(500, 5);
    client.send("hello");
    await page.wait(500, 5);
    page.last.bring("hello");
  }
  assert.deepEqual(page.last.sent, ["hello", "hello", "hello"]);
});

test("a page that is hidden is pinged a minute earlier, as its timers are slow", async () => {
  const page = newPage();
  await page.open();
  await page.hide();
  const silent = await page.waitFor(() => page.last.sent.length, 600);
  assert.ok(silent >= 480 && silent <= 496, `${silent} s`);
});

test("shorter idle times are kept", async () => {
  const page = newPage();
  await page.open({ limits: { idle: 20 } });
  const silent = await page.waitFor(() => page.last.sent.length, 20);
  assert.ok(silent >= 18 && silent < 20, `${silent} s`);
});

test("a pong is no message of the site", async () => {
  const page = newPage();
  await page.open();
  page.last.bring({ pong: true });
  assert.deepEqual(page.heard, []);
});

test("a gateway that never pongs is not taken for dead", async () => {
  const page = newPage();
  await page.open();
  await page.wait(3000, 5);
  assert.equal(page.sockets.length, 1);
  assert.ok(page.last.sent.length >= 5);
});

// A page whose gateway has answered a ping, and no longer does.
async function muted() {
  const page = newPage();
  await page.open();
  page.last.bring({ pong: true });
  await page.waitFor(() => page.last.sent.length, 600);
  return page;
}

test("a missing pong replaces the connection, which may have missed something", async () => {
  const page = await muted();
  await page.wait(10);
  assert.equal(page.sockets.length, 1);
  await page.wait(20);
  assert.equal(page.sockets.length, 2);
  assert.equal(page.client.state, "open");
  page.last.accept();
  assert.deepEqual(page.details("open").at(-1), { continued: false });
  await page.wait(10);
  assert.deepEqual(page.sockets.map(({ readyState }) => readyState), [3, 1]);
});

test("a pong in time keeps the connection", async () => {
  const page = await muted();
  page.last.bring({ pong: true });
  await page.wait(60);
  assert.equal(page.sockets.length, 1);
});

test("a page that is seen soon after a ping waits for the pong", async () => {
  const page = await muted();
  await page.wait(5);
  await page.show();
  assert.equal(page.sockets.length, 1);
});

test("any frame is as good as a pong", async () => {
  const page = await muted();
  page.last.bring("hello");
  await page.wait(60);
  assert.equal(page.sockets.length, 1);
});

test("a pong is expected of the next connection as well", async () => {
  const page = await muted();
  page.last.end(1006);
  await page.wait(1);
  page.last.accept();
  await page.waitFor(() => page.last.sent.length, 600);
  await page.wait(20);
  assert.equal(page.sockets.length, 3);
});

// Sleep

test("a computer that wakes up replaces its connection, which may have missed something", async () => {
  const page = newPage();
  await page.open();
  await page.sleep(121);
  await page.wait(0.5);
  assert.equal(page.sockets.length, 2);
  page.last.accept();
  assert.deepEqual(page.details("open").at(-1), { continued: false });
});

test("a connection that speaks after the sleep has missed nothing", async () => {
  const page = newPage();
  await page.open();
  await page.sleep(300);
  await page.wait(0.5);
  page.sockets[0].bring("hello");
  page.last.accept();
  assert.deepEqual(page.details("open").at(-1), { continued: true });
});

test("timers that run once a minute are no sleep", async () => {
  const page = newPage();
  await page.open();
  await page.hide();
  for (const _ of [1, 2, 3]) {
    await page.sleep(60);
    await page.wait(0.5);
  }
  assert.equal(page.sockets.length, 1);
});

test("after a sleep it tries until a connection is open", async () => {
  const page = newPage();
  await page.open();
  await page.sleep(300);
  await page.wait(0.5);
  page.last.end(1006);
  await page.wait(2);
  assert.equal(page.sockets.length, 3);
  page.last.accept();
  assert.deepEqual(page.details("open").at(-1), { continued: false });
});

// The network

test("a network that is back ends the wait", async () => {
  const page = newPage({ random: 1 });
  const client = await page.open();
  page.last.end(1008);
  await page.wait(1);
  await page.goOnline();
  assert.equal(page.sockets.length, 2);
  page.last.accept();
  await page.wait(60);
  assert.equal(client.state, "open");
  assert.equal(page.sockets.length, 2);
});

test("a network that is back replaces the open connection, which may be dead", async () => {
  const page = newPage();
  await page.open();
  await page.goOnline();
  await page.goOnline();
  assert.equal(page.sockets.length, 2);
  page.last.accept();
  assert.deepEqual(page.details("open").at(-1), { continued: false });
});

test("a network that is back during an overlap is waited for until that is over", async () => {
  const page = newPage();
  await page.open();
  await page.goOnline();
  page.last.accept();
  await page.goOnline();
  assert.equal(page.sockets.length, 2);
  await page.wait(30);
  assert.equal(page.sockets.length, 3);
});

// Pages that nobody sees

test("a hidden page keeps its connection where the page says nothing", async () => {
  const page = newPage();
  const client = await page.open();
  await page.hide();
  await page.wait(3600, 5);
  assert.equal(client.state, "open");
});

test("a hidden page hangs up after hideTimeout, and comes back when it is seen", async () => {
  const page = newPage();
  const client = await page.open({}, { hideTimeout: 60 });
  await page.wait(14);
  await page.hide();
  await page.wait(59);
  assert.equal(client.state, "open");
  await page.wait(16);
  assert.equal(client.state, "paused");
  assert.equal(client.reason, "The page is hidden.");
  assert.equal(client.readyState, 0);
  assert.equal(page.last.readyState, 3);
  await page.wait(600, 5);
  await page.goOnline();
  assert.equal(page.sockets.length, 1);
  await page.show();
  assert.equal(client.state, "connecting");
  page.last.accept();
  assert.deepEqual(page.details("open").at(-1), { continued: false });
  assert.equal(page.sockets.length, 2);
});

test("a page that is hidden for less than a tick does not hang up", async () => {
  const page = newPage();
  const client = await page.open({}, { hideTimeout: 5 });
  await page.wait(14);
  await page.hide();
  assert.equal(client.state, "open");
  await page.wait(0.5);
  await page.show();
  await page.wait(30);
  assert.equal(client.state, "open");
});

test("a page that is seen now and then does not hang up", async () => {
  const page = newPage();
  const client = await page.open({}, { hideTimeout: 60 });
  for (const _ of [1, 2, 3]) {
    await page.hide();
    await page.wait(50);
    await page.show();
  }
  assert.equal(client.state, "open");
});

test("a page that was never seen hangs up, too", async () => {
  const page = newPage();
  await page.connect({}, { hideTimeout: 60 });
  await page.hide();
  await page.wait(90);
  assert.equal(page.client.state, "paused");
  assert.equal(page.last.readyState, 3);
});

test("hanging up rejects the calls, and ends a replaced connection, too", async () => {
  const page = newPage();
  const client = await page.open({}, { hideTimeout: 60, callTimeout: 300 });
  await page.hide();
  await page.wait(58);
  const call = rejection(client.call("slow"));
  await page.goOnline();
  page.last.accept();
  await page.waitFor(() => client.state === "paused", 30);
  page.sockets[0].bring("unheard");
  assert.equal((await call).sent, true);
  assert.deepEqual(page.heard, []);
});

test("a page that is seen again ends the wait, and one that is hidden does not", async () => {
  const page = newPage({ random: 1 });
  const client = await page.open();
  page.last.end(1008);
  await page.hide();
  assert.equal(client.state, "waiting");
  await page.show();
  assert.equal(client.state, "connecting");
});

test("a page that is seen again pings at once a connection that was silent for long", async () => {
  const page = newPage();
  await page.open();
  await page.wait(100);
  await page.hide();
  await page.wait(370, 5);
  await page.sleep(100);
  await page.show();
  assert.deepEqual(page.last.said, [PING]);
  assert.equal(page.sockets.length, 1);
});
