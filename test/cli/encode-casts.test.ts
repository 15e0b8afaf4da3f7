/** The golden casts as rows of SQL and CSV files: value bytes, error and warning of each, through the command. */
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fromHex, utf8 } from "../../src/base/mod.ts";
import { readJsonLines } from "../codec/golden-file.ts";
import { encode } from "./run-encode.ts";

interface Fault {
  code: number;
  message: string;
}

interface Case {
  type: string;
  mode: "default" | "strict" | "both";
  timeZone?: string;
  in: { kind: string; text?: string; hex?: string };
  out?: { rowHex: string | null };
  error?: Fault;
  warning: Fault | null;
}

interface Row {
  row: number;
  error?: Fault;
  pairs: [string, string][];
  warnings: Fault[];
}

const MODES = {
  default: "ONLY_FULL_GROUP_BY,NO_AUTO_CREATE_USER",
  strict: "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO",
};
const NOW = Date.UTC(2025, 1, 6);

const ESCAPES: Record<number, string> = { 0: "0", 10: "n", 13: "r", 26: "Z", 34: '"', 39: "'", 92: "\\" };

function quoted(bytes: Uint8Array, quote: string, escaped: readonly number[]): Buffer {
  const out: number[] = [];
  for (const b of bytes) {
    if (escaped.includes(b)) out.push(0x5c, ESCAPES[b]!.charCodeAt(0));
    else out.push(b);
  }
  return Buffer.concat([Buffer.from(quote), Buffer.from(out), Buffer.from(quote)]);
}

const bytesOf = ({ in: { text, hex } }: Case): Uint8Array => (hex === undefined ? utf8(text ?? "") : fromHex(hex));

/** The value as SQL dumps have it; undefined for values that no dump can give. */
function sqlOf(c: Case): Buffer | undefined {
  const { kind, text } = c.in;
  switch (kind) {
    case "string":
      return quoted(bytesOf(c), "'", [0, 10, 13, 26, 39, 92]);
    case "binary":
      return Buffer.concat([Buffer.from("_binary "), quoted(bytesOf(c), "'", [0, 10, 13, 26, 39, 92])]);
    case "null":
      return Buffer.from("NULL");
    case "int":
      return text!.startsWith("-") ? Buffer.from(text!) : undefined;
    case "decimal":
    case "float":
      return undefined;
    default:
      return Buffer.from(text ?? `x'${c.in.hex}'`);
  }
}

function csvOf(c: Case): Buffer | undefined {
  if (c.in.kind === "null") return Buffer.from("\\N");
  return c.in.kind === "string" ? quoted(bytesOf(c), '"', [0, 10, 13, 34, 92]) : undefined;
}

function fileOf(form: "sql" | "csv", values: readonly Buffer[]): Buffer {
  if (form === "csv") return Buffer.concat([Buffer.from('"c"\n'), ...values.flatMap((v) => [v, Buffer.from("\n")])]);
  const rows = values.flatMap((v, i) => [Buffer.from(i === 0 ? "(" : ",("), v, Buffer.from(")")]);
  return Buffer.concat([Buffer.from("INSERT INTO t VALUES "), ...rows, Buffer.from(";\n")]);
}

/** What is wrong with the row, or undefined. Row values: id 1, not null or left out. */
function complaintOf(c: Case, row: Row): string | undefined {
  if (c.error !== undefined) {
    const isPanic = c.error.message.startsWith("panic:");
    return row.error !== undefined && (isPanic || row.error.code === c.error.code) ? undefined : JSON.stringify(row);
  }
  if (row.error !== undefined) return JSON.stringify(row.error);
  const { rowHex } = c.out!;
  const value = row.pairs[0]![1];
  if (rowHex === null) {
    if (value !== "800000000000") return value;
  } else if (!/^80000100000001.{4}/.test(value) || value.slice(18) !== rowHex) return value;
  return c.warning?.code === row.warnings[0]?.code ? undefined : JSON.stringify(row.warnings);
}

/** Cases of one column, mode and zone. */
function groupsOf(cases: readonly Case[]): Map<string, Case[]> {
  const groups = new Map<string, Case[]>();
  for (const c of cases) {
    for (const mode of c.mode === "both" ? (["default", "strict"] as const) : [c.mode]) {
      const key = JSON.stringify([c.type, mode, c.timeZone ?? "UTC"]);
      const known = groups.get(key);
      if (known === undefined) groups.set(key, [c]);
      else known.push(c);
    }
  }
  return groups;
}

const groups = [...groupsOf(readJsonLines<Case>("casts.jsonl.gz"))];
const PARTS = 4;
let checked = 0;

async function check(dir: string, key: string, cases: readonly Case[], complaints: string[]): Promise<void> {
  const [type, mode, zone] = JSON.parse(key) as [string, keyof typeof MODES, string];
  const schema = join(dir, "t.sql");
  fs.writeFileSync(schema, `CREATE TABLE t (c ${type});`);
  for (const form of ["sql", "csv"] as const) {
    const given = cases
      .map((c) => ({ c, value: form === "sql" ? sqlOf(c) : csvOf(c) }))
      .filter((g) => g.value !== undefined);
    if (given.length === 0) continue;
    const data = join(dir, `d.${form}`);
    fs.writeFileSync(
      data,
      fileOf(
        form,
        given.map((g) => g.value!),
      ),
    );
    const args = ["--schema", schema, "--data", data, "--by-row", "--sql-mode", MODES[mode], "--time-zone", zone];
    const { out, err } = await encode(args, NOW);
    const rows = out.trimEnd().split("\n");
    if (rows.length !== given.length) complaints.push(`${key} ${form}: ${rows.length} rows of ${given.length}, ${err}`);
    for (const [i, { c }] of given.entries()) {
      const complaint = complaintOf(c, JSON.parse(rows[i] ?? "{}") as Row);
      checked++;
      if (complaint !== undefined) complaints.push(`${key} ${form} ${JSON.stringify(c)}: ${complaint}`);
    }
  }
}

for (let part = 0; part < PARTS; part++) {
  test(`levin encode gives the golden casts, from SQL and CSV, part ${part}`, async () => {
    const dir = fs.mkdtempSync(join(os.tmpdir(), "levin-casts-"));
    const complaints: string[] = [];
    try {
      for (let i = part; i < groups.length; i += PARTS) await check(dir, groups[i]![0], groups[i]![1], complaints);
    } finally {
      fs.rmSync(dir, { recursive: true });
    }
    assert.deepEqual(complaints, []);
  });
}

test("all golden casts that a dump can have were run", () => assert.equal(checked, 14448));
