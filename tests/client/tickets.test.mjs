// The handshake: its URL, tickets for it, and a site that refuses one.

import assert from "node:assert/strict";
import { test } from "node:test";

import { DATA, answer, newPage } from "./page.mjs";

// One refusal after the other, without ever an open connection.
async function refuse(page, times) {
  for (let done = 0; done < times; done += 1) {
    page.last.end(1006);
    await page.wait(30);
  }
}

test("each attempt has a ticket of its own", async () => {
  const page = newPage();
  await page.connect();
  await refuse(page, 2);
  page.last.accept();
  page.last.end(1001);
  await page.wait(30);
  const tickets = page.sockets.map(({ url }) => url.split("ws_token=")[1]);
  assert.deepEqual(tickets, ["ticket-1", "ticket-2", "ticket-3", "ticket-4"]);
  assert.equal(page.requests.length, 4);
});

test("a ticket is added to the URL's own query", async () => {
  const page = newPage();
  await page.connect();
  assert.equal(page.last.url, "wss://gateway.example/prod?channel=lobby&ws_token=ticket-1");
});

test("a ticket begins the query of a URL without one", async () => {
  const page = newPage();
  await page.connect({ url: "wss://gateway.example/prod" });
  assert.equal(page.last.url, "wss://gateway.example/prod?ws_token=ticket-1");
});

test("a page without a ticket URL opens without a ticket", async () => {
  const page = newPage();
  await page.connect({ ticketUrl: undefined });
  assert.equal(page.last.url, DATA.url);
  assert.equal(page.requests.length, 0);
});

test("a ticket that comes after its attempt is over is not used", async () => {
  const page = newPage();
  const give = [];
  page.answer = () => new Promise((resolve) => give.push(resolve));
  const client = await page.connect();
  client.close();
  client.retry();
  await page.wait(0.5);
  give[0](answer(200, { ws_token: "of the first" }));
  give[1](answer(200, { ws_token: "of the second" }));
  await page.wait(0.5);
  assert.deepEqual(page.sockets.map(({ url }) => url.split("ws_token=")[1]), ["of the second"]);
});

test("a refusal that comes after its attempt is over ends nothing", async () => {
  const page = newPage();
  const give = [];
  page.answer = () => new Promise((resolve) => give.push(resolve));
  const client = await page.connect();
  client.close();
  client.retry();
  await page.wait(0.5);
  give[0](answer(403, { error: "Log in first." }));
  give[1](answer(200, { ws_token: "of the second" }));
  await page.wait(0.5);
  assert.equal(client.state, "connecting");
  assert.equal(page.sockets.length, 1);
});

test("the subprotocols are offered", async () => {
  const page = newPage();
  await page.connect({}, { protocols: ["chat", "v2"] });
  assert.deepEqual(page.last.protocols, ["chat", "v2"]);
});

test("no subprotocol is offered unasked", async () => {
  const page = newPage();
  await page.connect();
  assert.deepEqual(page.last.protocols, []);
});

test("a page without a URL is closed, and says why", async () => {
  const page = newPage();
  const client = await page.connect({ url: "" });
  await page.wait(60);
  assert.equal(client.state, "closed");
  assert.match(client.reason, /no URL/);
  assert.equal(page.requests.length, 0);
});

// What is asked

test("the ticket is asked for by POST, with the page's token", async () => {
  const page = newPage();
  await page.connect();
  const [{ url, method, headers }] = page.requests;
  assert.deepEqual([url, method], ["/ws-token/", "POST"]);
  assert.deepEqual(headers, { "X-CSRFToken": "page-token" });
});

test("the cookie's token goes before the page's, as it may be newer", async () => {
  const page = newPage();
  document.cookie = "other_csrftoken=wrong; csrftoken=newer; last=1";
  await page.connect();
  assert.equal(page.requests[0].headers["X-CSRFToken"], "newer");
});

test("the first cookie is found as well", async () => {
  const page = newPage();
  document.cookie = "csrftoken=newer; last=1";
  await page.connect();
  assert.equal(page.requests[0].headers["X-CSRFToken"], "newer");
});

test("each attempt reads the cookie again", async () => {
  const page = newPage();
  await page.connect();
  document.cookie = "csrftoken=of-another-login";
  await refuse(page, 1);
  assert.equal(page.requests[1].headers["X-CSRFToken"], "of-another-login");
});

test("where no cookie is named, the page's token is used", async () => {
  const page = newPage();
  document.cookie = "csrftoken=newer; undefined=wrong";
  await page.connect({ csrf: { header: "X-CSRFToken", token: "page-token" } });
  assert.equal(page.requests[0].headers["X-CSRFToken"], "page-token");
});

test("an empty cookie is no token", async () => {
  const page = newPage();
  document.cookie = "csrftoken=; last=1";
  await page.connect();
  assert.equal(page.requests[0].headers["X-CSRFToken"], "page-token");
});

test("a changed URL counts from the next connection on", async () => {
  const page = newPage();
  const client = await page.open();
  client.data.url = "wss://gateway.example/prod?channel=garden";
  page.last.end(1006);
  await page.wait(1);
  assert.equal(page.last.url, `${client.data.url}&ws_token=ticket-2`);
});

test("a site of another origin gets its cookies if the page says so", async () => {
  const page = newPage();
  await page.connect({}, { credentials: "include" });
  assert.equal(page.requests[0].credentials, "include");
});

test("the page's own headers are sent beside the token", async () => {
  const page = newPage();
  await page.connect({}, { headers: { Authorization: "Bearer 1" } });
  assert.deepEqual(page.requests[0].headers, {
    "X-CSRFToken": "page-token",
    Authorization: "Bearer 1",
  });
});

test("a header of the page's own goes before the token's", async () => {
  const page = newPage();
  await page.connect({}, { headers: { "X-CSRFToken": "own" } });
  assert.deepEqual(page.requests[0].headers, { "X-CSRFToken": "own" });
});

test("a function gives the headers, anew for each attempt, also in its own time", async () => {
  const page = newPage();
  let count = 0;
  const headers = async () => ({ Authorization: `Bearer ${(count += 1)}` });
  await page.connect({ csrf: undefined }, { headers });
  await refuse(page, 1);
  assert.deepEqual(page.requests.map((request) => request.headers), [
    { Authorization: "Bearer 1" },
    { Authorization: "Bearer 2" },
  ]);
});

test("a function for the headers that fails is told, and is tried again", async () => {
  const page = newPage();
  const headers = () => Promise.reject(new Error("The login server is away."));
  const client = await page.connect({}, { headers });
  assert.equal(client.state, "waiting");
  assert.equal(client.reason, "The login server is away.");
  await page.wait(1);
  assert.equal(page.details("state").filter(({ state }) => state === "connecting").length, 1);
});

// What is answered

for (const status of [401, 403]) {
  test(`a site that answers ${status} ends it, with the site's reason`, async () => {
    const page = newPage();
    page.answer = async () => answer(status, { error: "Log in first." });
    const client = await page.connect();
    await page.wait(120);
    assert.equal(client.state, "closed");
    assert.equal(client.reason, "Log in first.");
    const [end] = page.of("close");
    assert.deepEqual([end.code, end.reason], [1008, "Log in first."]);
    assert.equal(page.requests.length, 1);
    assert.equal(page.sockets.length, 0);
  });
}

test("a redirect, to a login page as a rule, ends it", async () => {
  const page = newPage();
  page.answer = async () => answer(200, "<title>Log in</title>", { redirected: true });
  const client = await page.connect();
  await page.wait(60);
  assert.equal(client.state, "closed");
  assert.match(client.reason, /no ticket \(200\)/);
  assert.equal(page.of("close")[0].code, 1008);
  assert.equal(page.requests.length, 1);
});

for (const content of ["<h1>Forbidden</h1>", "null", "{}"]) {
  test(`a refusal that says ${content} names its status`, async () => {
    const page = newPage();
    page.answer = async () => answer(403, content);
    const client = await page.connect();
    assert.equal(client.state, "closed");
    assert.match(client.reason, /no ticket \(403\)/);
  });
}

test("after a refusal what waits is dropped, and retry() asks again", async () => {
  const page = newPage();
  const give = page.answer;
  page.answer = async () => answer(403, { error: "Log in first." });
  const client = await page.connect();
  assert.equal(client.send("too late"), false);
  page.answer = give;
  client.retry();
  await page.wait(0.5);
  page.last.accept();
  assert.equal(client.state, "open");
  assert.deepEqual(page.details("dropped"), [{ frame: "too late", reason: "Log in first." }]);
});

test("a site that is asked too often says when to come back", async () => {
  const page = newPage({ random: 1 });
  page.answer = async () => answer(429, { error: "Too many." }, { headers: { "Retry-After": "50" } });
  const client = await page.connect();
  assert.equal(client.state, "waiting");
  assert.equal(client.reason, "Too many.");
  assert.equal(client.retryAt - Date.now(), 50_000);
  await page.wait(49.5);
  assert.equal(page.requests.length, 1);
  await page.wait(0.5);
  assert.equal(page.requests.length, 2);
});

test("a Retry-After that is shorter than the client's own wait does not shorten it", async () => {
  const page = newPage({ random: 1 });
  page.answer = async () => answer(503, {}, { headers: { "Retry-After": "3" } });
  const client = await page.connect();
  const waits = [];
  for (const _ of [1, 2, 3, 4]) {
    waits.push((client.retryAt - Date.now()) / 1000);
    await page.wait(waits.at(-1));
  }
  assert.deepEqual(waits, [3, 3, 4, 8]);
});

test("a Retry-After of a month or of no number is survived", async () => {
  const page = newPage({ random: 1 });
  let value = "Fri, 31 Dec 1999 23:59:59 GMT";
  page.answer = async () => answer(429, {}, { headers: { "Retry-After": value } });
  const client = await page.connect();
  assert.equal(client.retryAt - Date.now(), 1000);
  value = `${3600 * 24 * 30}`;
  await page.wait(1);
  await page.wait(60);
  assert.equal(page.requests.length, 2);
});

test("a failure of the site is tried again, more and more slowly", async () => {
  const page = newPage({ random: 1 });
  page.answer = async () => answer(500, "<h1>Server Error</h1>");
  const client = await page.connect();
  assert.match(client.reason, /no ticket \(500\)/);
  await page.wait(30);
  assert.equal(page.requests.length, 5);
  assert.equal(client.state, "waiting");
});

test("a site that cannot be reached is tried again until it answers", async () => {
  const page = newPage();
  const give = page.answer;
  page.answer = () => Promise.reject(new TypeError("Failed to fetch"));
  const client = await page.connect();
  assert.equal(client.state, "waiting");
  assert.match(client.reason, /cannot be reached/);
  assert.equal(page.details("state").at(-1).code, 1006);
  page.answer = give;
  await page.wait(1);
  page.last.accept();
  assert.equal(client.state, "open");
});

test("a ticket that is not there in 30 seconds is not waited for", async () => {
  const page = newPage();
  page.answer = ({ signal }) =>
    new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  const client = await page.connect();
  await page.wait(29.5);
  assert.equal(client.state, "connecting");
  await page.wait(0.5);
  assert.equal(client.state, "waiting");
  assert.match(client.reason, /cannot be reached/);
});

test("a URL that the browser refuses is told", async () => {
  const page = newPage();
  const real = globalThis.WebSocket;
  globalThis.WebSocket = class {
    constructor() {
      throw new SyntaxError("No WebSocket has such a URL.");
    }
  };
  const client = await page.connect();
  globalThis.WebSocket = real;
  assert.equal(client.state, "waiting");
  assert.equal(client.reason, "No WebSocket has such a URL.");
});

// By cookie

test("by cookie no ticket is asked for, or used", async () => {
  const page = newPage();
  await page.open({ authentication: "cookie" });
  assert.equal(page.last.url, DATA.url);
  assert.equal(page.requests.length, 0);
});

test("by cookie the site is asked why, after three refused handshakes", async () => {
  const page = newPage();
  const client = await page.connect({ authentication: "cookie" });
  await refuse(page, 2);
  assert.equal(page.requests.length, 0);
  page.answer = async () => answer(403, { error: "You are logged out." });
  await refuse(page, 1);
  assert.equal(page.requests.length, 1);
  assert.equal(client.state, "closed");
  assert.equal(client.reason, "You are logged out.");
});

test("by cookie a site that would give a ticket is tried without one, and asked seldom", async () => {
  const page = newPage();
  await page.connect({ authentication: "cookie" });
  await refuse(page, 5);
  assert.equal(page.requests.length, 1);
  await refuse(page, 1);
  assert.equal(page.requests.length, 2);
  assert.deepEqual([...new Set(page.sockets.map(({ url }) => url))], [DATA.url]);
});

test("by cookie an open connection forgets the refusals before it", async () => {
  const page = newPage();
  await page.connect({ authentication: "cookie" });
  await refuse(page, 2);
  page.last.accept();
  page.last.end(1001);
  await page.wait(30);
  await refuse(page, 2);
  assert.equal(page.requests.length, 0);
});
