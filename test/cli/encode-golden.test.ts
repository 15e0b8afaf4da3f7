import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { encode } from "./run-encode.ts";

interface Golden {
  case: string;
  table: string;
  sqlMode: string;
  sessionVars: Record<string, string>;
  newCollation: boolean;
  ddl: string;
  tableInfo: { id: number };
  columns: string[];
  sql: string;
  csv: string | null;
  csvHex?: string;
  sqlHasExpressions?: boolean;
  lightning: Record<string, "same" | { error?: { code: number }; pairs?: [string, string][] }> | null;
  rows?: { rowId: number }[];
  pairs: [string, string][];
  encoder?: string;
  autoRandomSeed?: number;
  timestamp?: number;
}

const lines = gunzipSync(fs.readFileSync(new URL("../golden/tables.jsonl.gz", import.meta.url)))
  .toString()
  .split("\n")
  .filter((line) => line !== "");

function pairsOf(out: string): string[] {
  return out
    .trimEnd()
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const { key, value } = JSON.parse(line) as { key: string; value: string };
      return `${key} ${value}`;
    });
}

/** A sequence as default: the import encoder of TiDB fails at its first row, levin before it. */
const REFUSED = ["default-sequence"];

/** Counts over all parts. */
const counts = { tables: 0, runs: 0, fromDdl: 0 };
const refusals = new Set<string>();

function sessionArgs(one: Golden): string[] {
  const session = ["--sql-mode", one.sqlMode, "--session-var", `new_collations_enabled=${one.newCollation}`];
  for (const [name, value] of Object.entries(one.sessionVars)) session.push("--session-var", `${name}=${value}`);
  if (one.timestamp) session.push("--session-var", `timestamp=${one.timestamp}`);
  if (one.autoRandomSeed !== undefined) session.push("--auto-random-seed", String(one.autoRandomSeed));
  return session;
}

/** What is wrong with one output, or undefined. */
function complaintOf(one: Golden, form: string, { code, out, err }: { code: number; out: string; err: string }) {
  const differs = one.lightning?.[form] ?? "same";
  const refused = differs !== "same" && differs.error !== undefined;
  if (code === 3 && REFUSED.includes(one.case)) {
    refusals.add(one.case);
    return undefined;
  }
  if (refused ? code !== 4 : code !== 0) return `exit ${code}, ${err.split("\n")[0]}`;
  // Row ids of some cases of TiDB's encoder are made up; the encoder's own test has them.
  if (refused || one.rows?.some((row, i) => row.rowId !== i + 1)) return undefined;
  const expected = (differs === "same" ? one.pairs : (differs.pairs ?? []))
    .map(([key, value]) => `${key} ${value}`)
    .sort();
  const found = pairsOf(out).sort();
  if (found.join() === expected.join()) return undefined;
  const at = expected.findIndex((pair, i) => pair !== found[i]);
  return `pair ${at}: expected ${expected[at]?.slice(0, 300)}, found ${found[at]?.slice(0, 300)}`;
}

async function check(line: string, dir: string, complaints: string[]): Promise<void> {
  const one = JSON.parse(line) as Golden;
  if (one.sqlHasExpressions) return;
  counts.tables++;
  const infoFile = join(dir, "t.json");
  fs.writeFileSync(infoFile, /"tableInfo":\s*(\{.*?\}),\s*"physicalIds"/s.exec(line)![1]!);
  const ddlFile = join(dir, "t.sql");
  fs.writeFileSync(ddlFile, one.ddl);
  const session = sessionArgs(one);
  const sources: [string, string | Buffer][] = [["sql", one.sql]];
  if (one.csv !== null && one.csv !== undefined) sources.push(["csv", one.csv]);
  else if (one.csvHex !== undefined) sources.push(["csv", Buffer.from(one.csvHex, "hex")]);
  for (const [form, content] of sources) {
    const file = join(dir, `d.${form}`);
    fs.writeFileSync(file, content);
    counts.runs++;
    const outcome = await encode(["--schema", infoFile, "--data", file, ...session]);
    const complaint = complaintOf(one, form, outcome);
    if (complaint !== undefined) complaints.push(`${one.case} ${form}: ${complaint}`);
    const table = ["--table", one.table, "--table-id", String(one.tableInfo.id)];
    const fromDdl = await encode(["--schema", ddlFile, ...table, "--data", file, ...session]);
    counts.fromDdl++;
    if (fromDdl.code === outcome.code && fromDdl.out === outcome.out) continue;
    complaints.push(`${one.case} ${form} from DDL: exit ${fromDdl.code}, ${fromDdl.err.split("\n")[0]}`);
  }
}

const PARTS = 4;

for (let part = 0; part < PARTS; part++) {
  test(`levin encode gives TiDB's pairs for golden tables, from SQL and CSV, from DDL and TableInfo, part ${part}`, async () => {
    const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-encode-"));
    const complaints: string[] = [];
    try {
      for (let i = part; i < lines.length; i += PARTS) await check(lines[i]!, dir, complaints);
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
    assert.deepEqual(complaints, []);
  });
}

test("all golden tables were run, and only what README names was refused", () => {
  assert.deepEqual([...refusals].sort(), REFUSED);
  assert.deepEqual(counts, { tables: 227, runs: 452, fromDdl: 452 });
});
