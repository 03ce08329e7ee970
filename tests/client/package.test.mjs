// The file as it is shipped: its size, and its types beside it.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import ts from "typescript";

import * as client from "../../django_aws_api_gateway_websockets/static/django_aws_api_gateway_websockets/client.js";

const FOLDER = new URL(
  "../../django_aws_api_gateway_websockets/static/django_aws_api_gateway_websockets/",
  import.meta.url,
);
const LARGEST = 5000;

test(`client.js has at most ${LARGEST} bytes, gzipped`, (t) => {
  const { length } = gzipSync(readFileSync(new URL("client.js", FOLDER)), { level: 9 });
  t.diagnostic(`client.js has ${length} bytes, gzipped`);
  assert.ok(length <= LARGEST, `${length} bytes`);
});

// The names that exist when the page runs: no interface, no type.
function valuesOf(declarations) {
  const text = readFileSync(new URL(declarations, FOLDER), "utf8");
  const source = ts.createSourceFile(declarations, text, ts.ScriptTarget.Latest);
  return source.statements
    .filter((statement) => !ts.isInterfaceDeclaration(statement))
    .filter((statement) => !ts.isTypeAliasDeclaration(statement))
    .map((statement) => statement.name.text);
}

test("client.d.ts declares what client.js exports, and nothing else", () => {
  assert.deepEqual(valuesOf("client.d.ts").sort(), Object.keys(client).sort());
});

test("what client.d.ts declares of a GatewaySocket is there", () => {
  const text = readFileSync(new URL("client.d.ts", FOLDER), "utf8");
  const source = ts.createSourceFile("client.d.ts", text, ts.ScriptTarget.Latest);
  const socket = source.statements.find(({ name }) => name?.text === "GatewaySocket");
  const made = new client.GatewaySocket({ url: "" });
  const missing = socket.members
    .map(({ name }) => name?.text)
    .filter((name) => name && !name.startsWith("on") && !(name in made));
  assert.deepEqual(missing, []);
});
