// What the page sends: at once while a connection is open, else from a queue.

import assert from "node:assert/strict";
import { test } from "node:test";

import { CallError, newPage, rejection, settle } from "./page.mjs";

test("an object is sent as JSON, and a text as it is", async () => {
  const page = newPage();
  const client = await page.open();
  assert.equal(client.send({ action: "talk", text: "é" }), true);
  assert.equal(client.send("plain"), true);
  assert.deepEqual(page.last.sent, ['{"action":"talk","text":"é"}', "plain"]);
});

test("what is sent before the connection is open waits, and goes in its order, once", async () => {
  const page = newPage();
  const client = await page.connect();
  assert.equal(client.send("first"), true);
  const reply = client.call("second");
  client.send("third");
  page.last.accept();
  const { ref } = page.last.said[0];
  page.last.bring({ ref, reply: {} });
  await reply;
  assert.deepEqual(page.last.sent, ["first", `{"action":"second","ref":"${ref}"}`, "third"]);
  page.last.end(1006);
  await page.wait(1);
  page.last.accept();
  assert.deepEqual(page.last.sent, []);
});

test("what is sent in the open listener goes before what has waited", async () => {
  const page = newPage();
  const client = await page.connect();
  client.send("waited");
  client.addEventListener("open", () => client.send("subscribe"));
  page.last.accept();
  client.send("after");
  assert.deepEqual(page.last.sent, ["subscribe", "waited", "after"]);
});

test("close() in the open listener sends nothing that has waited", async () => {
  const page = newPage();
  const client = await page.connect();
  client.send("waited");
  client.addEventListener("open", () => client.close());
  page.last.accept();
  assert.deepEqual(page.last.sent, []);
  assert.equal(page.details("dropped").length, 1);
});

test("a connection that is closing takes nothing: it waits for the next one", async () => {
  const page = newPage();
  const client = await page.open();
  page.last.readyState = 2;
  client.send("later");
  page.last.end(1001);
  await page.wait(1);
  page.last.accept();
  assert.deepEqual(page.sockets.map(({ sent }) => sent), [[], ["later"]]);
});

test("what waits survives an attempt that fails", async () => {
  const page = newPage();
  const client = await page.connect();
  client.send("patient");
  page.last.end(1006);
  await page.wait(1);
  page.last.accept();
  assert.deepEqual(page.last.sent, ["patient"]);
});

test("a full queue refuses what is new, and says so", async () => {
  const page = newPage();
  const client = await page.connect({}, { queue: 2 });
  assert.equal(client.send("first"), true);
  assert.equal(client.send("second"), true);
  assert.equal(client.send("third"), false);
  const error = await rejection(client.call("rename"));
  assert.deepEqual(page.details("dropped"), [{ frame: "third", reason: "The queue is full." }]);
  assert.ok(error instanceof CallError);
  assert.deepEqual([error.message, error.sent], ["The queue is full.", false]);
  page.last.accept();
  assert.deepEqual(page.last.sent, ["first", "second"]);
});

test("100 frames may wait where the page says nothing", async () => {
  const page = newPage();
  const client = await page.connect();
  const taken = Array.from({ length: 101 }, (_, count) => client.send(`${count}`));
  assert.equal(taken.filter(Boolean).length, 100);
  assert.equal(taken.at(-1), false);
});

test("a frame that has waited too long is dropped, and its room is free again", async () => {
  const page = newPage();
  const client = await page.connect({}, { queue: 1, queueTimeout: 5 });
  client.send("old");
  await page.wait(4.5);
  assert.deepEqual(page.details("dropped"), []);
  await page.wait(0.5);
  assert.deepEqual(page.details("dropped"), [
    { frame: "old", reason: "No connection was open in time." },
  ]);
  assert.equal(client.send("new"), true);
  page.last.accept();
  assert.deepEqual(page.last.sent, ["new"]);
});

test("a frame that was sent in time is not told as dropped", async () => {
  const page = newPage();
  const client = await page.connect({}, { queueTimeout: 5 });
  client.send("in time");
  page.last.accept();
  await page.wait(10);
  assert.deepEqual(page.details("dropped"), []);
});

test("a queue without a time-out waits", async () => {
  const page = newPage();
  const client = await page.connect({}, { queueTimeout: Infinity });
  client.send("patient");
  await page.wait(29);
  page.last.accept();
  assert.deepEqual(page.last.sent, ["patient"]);
});

test("after close() a frame is dropped at once", async () => {
  const page = newPage();
  const client = await page.open();
  client.close("Goodbye.");
  assert.equal(client.send("too late"), false);
  assert.deepEqual(page.details("dropped"), [{ frame: "too late", reason: "Goodbye." }]);
});

// The limit is of bytes: "é" has two, "€" three, "😀" four.
for (const [letter, bytes] of [["x", 1], ["é", 2], ["€", 3], ["😀", 4]]) {
  test(`a frame of '${letter}' is measured in bytes of UTF-8`, async () => {
    const page = newPage();
    const client = await page.open({ limits: { frame: 12 } });
    assert.equal(client.send(letter.repeat(12 / bytes)), true);
    assert.throws(
      () => client.send(`${letter.repeat(12 / bytes)}x`),
      (error) => error instanceof RangeError && /13 bytes, and may have 12/.test(error.message),
    );
    assert.equal(page.last.sent.length, 1);
  });
}

test("the limit is 32 KiB where the page says nothing", async () => {
  const page = newPage();
  const client = await page.open();
  assert.equal(client.send("x".repeat(32768)), true);
  assert.throws(() => client.send("x".repeat(32769)), RangeError);
});

test("the page's options go before its data, and both before the limits of API Gateway", async () => {
  const page = newPage();
  const client = await page.open({ limits: { frame: 20 } }, { limits: { frame: 10 } });
  assert.throws(() => client.send("x".repeat(11)), RangeError);
  const other = newPage();
  const second = await other.open({ limits: { idle: 100 } }, { limits: { overlap: 1 } });
  assert.equal(second.send("x".repeat(32768)), true);
});

test("a frame that is too large is refused while no connection is open, too", async () => {
  const page = newPage();
  const client = await page.connect({ limits: { frame: 3 } });
  assert.throws(() => client.send("long"), RangeError);
  const error = await rejection(client.call("long"));
  assert.ok(error instanceof RangeError);
  page.last.accept();
  await settle();
  assert.deepEqual(page.last.sent, []);
});
