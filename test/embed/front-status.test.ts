import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { parseLosslessJson } from "../../src/schema/mod.ts";
import { answerOf, type Captured, openFront } from "./front-support.ts";

interface StatusCapture {
  name: string;
  method: string;
  path: string;
  status: number;
  type: string;
  json: boolean;
  body: unknown;
}

function golden<T>(name: string): T {
  const bytes = fs.readFileSync(new URL(`../golden/embed/${name}`, import.meta.url));
  return parseLosslessJson(gunzipSync(bytes).toString()) as T;
}

const OWN = new Set(["update_timestamp", "schema_version", "revision"]);

/** Without times and counts of schema changes; lists by id. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) {
    const byId = (one: unknown) => Number((one as { id?: number } | null)?.id ?? 0);
    return value.map(comparable).sort((a, b) => byId(a) - byId(b));
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !OWN.has(name))
      .map(([name, member]) => [name, comparable(member)]),
  );
}

/** Answers about the server itself have the same members with other values. */
const OWN_VALUES = new Set(["info", "info-all", "status"]);

/** System databases are not listed, a view has no columns, and a temporary table takes the id of the objects after it. */
const DIFFERENT = new Set(["schema", "schema-imp-idnameonly", "schema-imp-sq", "schema-imp-vw", "schema-imp"]);

/** The names of all members, in place of the values. */
function shape(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return typeof value;
  return Object.entries(value)
    .map(([name, member]) => [/-/.test(name) ? "id" : name, shape(member)])
    .sort();
}

test("the status port answers as a real one does", async () => {
  const front = await openFront();
  const client = await front.connect();
  let same = 0;
  try {
    const sql = golden<Record<string, Captured[]>>("tidb-sql.json.gz");
    for (const group of ["02-ddl-objects", "04-auto-id", "07-admin"]) {
      for (const one of sql[group]!)
        if (one.sql !== undefined && !/^(KILL|LOAD)/.test(one.sql)) await answerOf(client, one);
    }
    for (const { name, method, path, status, type, json, body } of golden<StatusCapture[]>("tidb-status.json.gz")) {
      const response = await fetch(`http://127.0.0.1:${front.front.statusPort}${path}`, { method });
      const text = await response.text();
      assert.equal(response.status, status, path);
      assert.equal(response.headers.get("content-type"), type, path);
      const got = json ? comparable(parseLosslessJson(text)) : text;
      const form = OWN_VALUES.has(name) ? shape : (value: unknown) => value;
      if (DIFFERENT.has(name)) continue;
      assert.deepEqual(form(got), form(comparable(body)), name);
      same++;
    }
  } finally {
    client.destroy();
    await front.close();
  }
  assert.equal(same, 33);
});
