// How long the client waits before it comes back.

import assert from "node:assert/strict";
import { test } from "node:test";

import { delayAfter, newPage } from "./page.mjs";

const between = (...more) => [0, 1].map((random) => delayAfter(...more, random));

for (const code of [1001, 1012]) {
  test(`after ${code} of a stable connection it comes back within a second`, () => {
    assert.deepEqual(between(code, 0, true), [0, 1]);
    assert.deepEqual(between(code, 9, true), [0, 1]);
  });

  test(`after ${code} of a connection that did not last it backs off`, () => {
    assert.deepEqual(between(code, 3, false), [4, 8]);
  });
}

test("after 1008 it waits the longest, even at the first time", () => {
  assert.deepEqual(between(1008, 0, true), [15, 30]);
  assert.deepEqual(between(1008, 0, false), [15, 30]);
});

for (const code of [1000, 1005, 1006, 1009, 1011, 4000]) {
  test(`after ${code} the wait doubles up to 30 seconds`, () => {
    const longest = [0, 1, 2, 3, 4, 5, 6, 2000].map((failures) => delayAfter(code, failures, false, 1));
    assert.deepEqual(longest, [1, 2, 4, 8, 16, 30, 30, 30]);
    assert.deepEqual(between(code, 0, true), [0.5, 1]);
    assert.deepEqual(between(code, 5, false), [15, 30]);
  });
}

test("without a number given, chance decides", () => {
  const delays = new Set(Array.from({ length: 20 }, () => delayAfter(1006, 5, false)));
  assert.ok(delays.size > 1);
  for (const delay of delays) assert.ok(delay >= 15 && delay <= 30);
});

test("pages that lose their connections in one moment come back in different ones", async () => {
  const moments = [];
  for (const random of [0, 1]) {
    const page = newPage({ random });
    const client = await page.open();
    await page.wait(60);
    page.last.end(1006);
    moments.push(client.retryAt - Date.now());
  }
  assert.deepEqual(moments, [500, 1000]);
});

test("each refusal doubles the wait, and a connection that has lasted starts it anew", async () => {
  const page = newPage({ random: 1 });
  const client = await page.connect();
  const waits = [];
  for (const _ of [1, 2, 3, 4]) {
    page.last.end(1006);
    waits.push((client.retryAt - Date.now()) / 1000);
    await page.wait(waits.at(-1));
  }
  page.last.accept();
  await page.wait(11);
  page.last.end(1006);
  waits.push((client.retryAt - Date.now()) / 1000);
  assert.deepEqual(waits, [1, 2, 4, 8, 1]);
});

test("a site that lets connections in and ends them at once is left in peace", async () => {
  const page = newPage({ random: 1 });
  const client = await page.connect();
  const waits = [];
  for (const code of [1006, 1001, 1012, 1011]) {
    page.last.accept();
    await page.wait(1);
    page.last.end(code);
    waits.push((client.retryAt - Date.now()) / 1000);
    await page.wait(waits.at(-1));
  }
  assert.deepEqual(waits, [1, 2, 4, 8]);
});

test("a connection is not stable because its handshake took long", async () => {
  const page = newPage({ random: 1 });
  const client = await page.connect();
  const waits = [];
  for (const _ of [1, 2, 3]) {
    await page.wait(20);
    page.last.accept();
    page.last.end(1001);
    waits.push((client.retryAt - Date.now()) / 1000);
    await page.wait(waits.at(-1));
  }
  assert.deepEqual(waits, [1, 2, 4]);
});

test("where connections live for seconds, a quarter of that is stable", async () => {
  const page = newPage({ random: 1 });
  const client = await page.open({ limits: { lifetime: 20 } });
  await page.wait(6);
  page.last.end(1001);
  assert.equal(client.retryAt - Date.now(), 1000);
  await page.wait(1);
  page.last.accept();
  await page.wait(6);
  page.last.end(1001);
  assert.equal(client.retryAt - Date.now(), 1000);
});
