// Two connections that bring the same pushes, of which the page must hear each once.

import assert from "node:assert/strict";
import { test } from "node:test";

import { newPage } from "./page.mjs";

// A page with two open connections, of which the first one has been replaced.
async function twice(options) {
  const page = newPage();
  await page.open({}, options);
  await page.goOnline();
  page.last.accept();
  const [old, young] = page.sockets;
  return { page, old, young };
}

test("a push that both bring is heard once, the old one first", async () => {
  const { page, old, young } = await twice();
  old.bring("push");
  young.bring("push");
  assert.deepEqual(page.heard, ["push"]);
});

test("a push that both bring is heard once, the new one first", async () => {
  const { page, old, young } = await twice();
  young.bring("push");
  old.bring("push");
  assert.deepEqual(page.heard, ["push"]);
});

test("a push comes once though the old one brings it before the new one is open", async () => {
  const page = newPage();
  await page.open();
  await page.goOnline();
  const [old, young] = page.sockets;
  old.bring("push");
  young.accept();
  young.bring("push", "next");
  old.bring("next");
  assert.deepEqual(page.heard, ["push", "next"]);
});

for (const turns of ["ooyy", "yyoo", "oyoy", "yoyo", "oyyo", "yooy"]) {
  test(`two pushes of one text are heard twice: ${turns}`, async () => {
    const { page, old, young } = await twice();
    for (const turn of turns) (turn === "o" ? old : young).bring("push");
    assert.deepEqual(page.heard, ["push", "push"]);
  });
}

test("several texts are told apart, in any order", async () => {
  const { page, old, young } = await twice();
  old.bring("a", "b", "a");
  young.bring("a", "a", "c", "b");
  old.bring("c");
  assert.deepEqual(page.heard, ["a", "b", "a", "c"]);
});

test("what comes on one of them alone is heard", async () => {
  const { page, old, young } = await twice();
  old.bring("of the old one", "again", "again");
  young.bring("of the new one");
  assert.deepEqual(page.heard, ["of the old one", "again", "again", "of the new one"]);
});

test("a second copy is known for the overlap, and is no copy later", async () => {
  const { page, old, young } = await twice({ limits: { overlap: 30 } });
  old.bring("push");
  await page.wait(29);
  young.bring("push");
  assert.deepEqual(page.heard, ["push"]);
  young.bring("other");
  await page.wait(31);
  young.bring("other");
  assert.deepEqual(page.heard, ["push", "other", "other"]);
});

test("a copy that comes after the old connection is closed is still known", async () => {
  const { page, old, young } = await twice();
  await page.wait(9);
  old.bring("push");
  await page.wait(2);
  young.bring("push");
  assert.deepEqual(page.heard, ["push"]);
});

test("after the overlap nothing is held back", async () => {
  const { page, old, young } = await twice();
  old.bring("push");
  await page.wait(11);
  young.bring("push", "push");
  assert.deepEqual(page.heard, ["push", "push", "push"]);
});

test("one first copy hides one second, though the same text goes on", async () => {
  const { page, old, young } = await twice();
  old.bring("tick"); // the site did not know the new one yet
  for (const _ of [1, 2, 3]) {
    await page.wait(3);
    old.bring("tick");
    young.bring("tick");
  }
  assert.equal(page.heard.length, 4);
  await page.wait(6);
  young.bring("tick");
  assert.equal(page.heard.length, 5);
});

test("an attempt that fails leaves nothing that hides a push", async () => {
  const page = newPage();
  await page.open();
  await page.goOnline();
  page.sockets[0].bring("push");
  page.last.end(1006);
  page.sockets[0].bring("push");
  assert.deepEqual(page.heard, ["push", "push"]);
});

test("an old one that is lost while the new one is made leaves nothing that hides", async () => {
  const page = newPage();
  await page.open();
  await page.goOnline();
  page.sockets[0].end(1001);
  page.last.accept();
  page.last.bring("push");
  await page.wait(3);
  await page.goOnline();
  page.sockets[1].bring("push"); // the site does not know the third one yet
  page.last.accept();
  page.sockets[1].bring("push");
  assert.deepEqual(page.heard, ["push", "push", "push"]);
});

test("a reply and a pong are no pushes, and hide none", async () => {
  const { page, old, young } = await twice();
  old.bring({ pong: true }, { ref: "9", reply: {} });
  young.bring({ pong: true }, "push");
  assert.deepEqual(page.heard, ["push"]);
});
