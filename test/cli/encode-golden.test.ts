import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { seededRandom, systemClock } from "../../src/base/mod.ts";
import { runCli } from "../../src/cli/mod.ts";

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

/** Runs `levin encode` in process. */
async function encode(args: string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(["encode", ...args], "levin", {
    stdout: { write: (text: string) => void out.push(text) },
    stderr: { write: (text: string) => void err.push(text) },
    terminal: undefined,
    environment: {},
    clock: systemClock,
    random: seededRandom(1),
    signal: new AbortController().signal,
    version: "0",
    pid: 1,
    encodeWorker: new URL("file:///none"),
  });
  return { code, out: out.join(""), err: err.join("") };
}

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

test("levin encode gives TiDB's pairs for every golden table, from SQL and CSV, from DDL and TableInfo", async () => {
  const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-encode-"));
  const complaints: string[] = [];
  const refusals = new Set<string>();
  let runs = 0;
  try {
    for (const line of lines) {
      const one = JSON.parse(line) as Golden;
      const tableInfo = /"tableInfo":\s*(\{.*?\}),\s*"physicalIds"/s.exec(line)![1]!;
      const infoFile = join(dir, "t.json");
      fs.writeFileSync(infoFile, tableInfo);
      if (one.sqlHasExpressions) continue;
      // Row ids of the encoder cases are made up; the encoder's own test has them.
      if (one.rows?.some((row, i) => row.rowId !== i + 1)) continue;
      const ddlFile = join(dir, "t.sql");
      fs.writeFileSync(ddlFile, one.ddl);
      const session = ["--sql-mode", one.sqlMode, "--session-var", `new_collations_enabled=${one.newCollation}`];
      for (const [name, value] of Object.entries(one.sessionVars)) session.push("--session-var", `${name}=${value}`);
      if (one.timestamp) session.push("--session-var", `timestamp=${one.timestamp}`);
      if (one.autoRandomSeed !== undefined) session.push("--auto-random-seed", String(one.autoRandomSeed));
      const sources: [string, string | Buffer][] = [["d.sql", one.sql]];
      if (one.csv !== null && one.csv !== undefined) sources.push(["d.csv", one.csv]);
      else if (one.csvHex !== undefined) sources.push(["d.csv", Buffer.from(one.csvHex, "hex")]);
      for (const [name, content] of sources) {
        const file = join(dir, name);
        fs.writeFileSync(file, content);
        runs++;
        const differs = one.lightning?.[name.slice(2)] ?? "same";
        const expected = (differs === "same" ? one.pairs : (differs.pairs ?? []))
          .map(([key, value]) => `${key} ${value}`)
          .sort();
        const { code, out, err } = await encode(["--schema", infoFile, "--data", file, ...session]);
        const found = code === 0 ? pairsOf(out).sort() : [];
        const refused = differs !== "same" && differs.error !== undefined;
        if (code === 3 && REFUSED.includes(one.case)) refusals.add(one.case);
        else if (refused ? code !== 4 : code !== 0)
          complaints.push(`${one.case} ${name}: exit ${code}, ${err.split("\n")[0]}`);
        else if (found.join() !== expected.join()) {
          const at = expected.findIndex((pair, i) => pair !== found[i]);
          complaints.push(
            `${one.case} ${name}: pair ${at}: expected ${expected[at]?.slice(0, 300)}, found ${found[at]?.slice(0, 300)}`,
          );
        }
      }
    }
  } finally {
    fs.rmSync(dir, { recursive: true });
  }
  assert.deepEqual(complaints, []);
  assert.deepEqual([...refusals].sort(), REFUSED);
  assert.ok(runs > 350, `${runs} runs`);
});
