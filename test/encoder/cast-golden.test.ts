import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, textOf, toHex, utf8 } from "../../src/base/mod.ts";
import { ByteWriter, columnForm, type Datum, encodeRowDatum, FieldKind, TimeZone } from "../../src/codec/mod.ts";
import { CastError, CastSession, castField, datumToBytes } from "../../src/encoder/cast/mod.ts";
import type { ColumnInfo } from "../../src/schema/mod.ts";
import { readJsonLines } from "../codec/golden-file.ts";
import { columnOf } from "./cast-columns.ts";

interface Fault {
  code: number;
  message: string;
}

interface Case {
  file: string;
  type: string;
  mode: "default" | "strict" | "both";
  timeZone?: string;
  in: { kind: keyof typeof FieldKind | "bool"; text?: string; hex?: string };
  out?: { text: string | null; textIsHex?: boolean; rowHex: string | null };
  error?: Fault;
  warning: Fault | null;
  moreWarnings?: Fault[];
}

const MODES = {
  default: "ONLY_FULL_GROUP_BY,NO_AUTO_CREATE_USER",
  strict: "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO",
};
const NOW = Date.UTC(2025, 1, 6);

/** Bytes of a hex or bit literal as it is written. */
function literalBytes(kind: string, text: string): Uint8Array {
  const body = text.replace(/^(0[xXbB]|[xXbB]')/, "").replace(/'$/, "");
  if (kind === "hex") return fromHex(body.length % 2 === 1 ? `0${body}` : body);
  if (body === "") return new Uint8Array(0);
  const bits = body.padStart(Math.ceil(body.length / 8) * 8, "0");
  return Uint8Array.from(bits.match(/.{8}/g)!, (byte) => Number.parseInt(byte, 2));
}

function sourceOf({ in: source }: Case): { kind: number; bytes: Uint8Array } {
  if (source.kind === "bool") return { kind: FieldKind[source.text === "TRUE" ? "true" : "false"], bytes: utf8("") };
  const kind = FieldKind[source.kind];
  if (source.hex !== undefined) return { kind, bytes: fromHex(source.hex) };
  if (source.kind === "hex" || source.kind === "bit") return { kind, bytes: literalBytes(source.kind, source.text!) };
  return { kind, bytes: utf8(source.text ?? "") };
}

/** Same members as a case's outcome: what came out, and the codes of error and warnings. */
interface Outcome {
  text?: string | null;
  rowHex?: string | null;
  error?: number;
  warnings: number[];
}

function rowHex(value: Datum, column: ColumnInfo, zone: string): string | null {
  if (value.kind === "null") return null;
  const form = columnForm(column.type, true, TimeZone.find(zone)!)!;
  const out = new ByteWriter();
  encodeRowDatum(out, value, form);
  return toHex(out.bytes.subarray(0, out.length));
}

const columns = new Map<string, ColumnInfo>();
const sessions = new Map<string, { session: CastSession; warnings: number[] }>();

function sessionOf(mode: "default" | "strict", zone: string): { session: CastSession; warnings: number[] } {
  const key = `${mode} ${zone}`;
  let known = sessions.get(key);
  if (known === undefined) {
    const warnings: number[] = [];
    const warn = (code: number) => warnings.push(code);
    const options = { sqlMode: MODES[mode], timeZone: zone, newCollations: true, nowMs: NOW, warn };
    known = { session: new CastSession(options), warnings };
    sessions.set(key, known);
  }
  known.warnings.length = 0;
  return known;
}

function run(c: Case, mode: "default" | "strict"): Outcome {
  const zone = c.timeZone ?? "UTC";
  const { session, warnings } = sessionOf(mode, zone);
  let column = columns.get(c.type);
  if (column === undefined) {
    column = columnOf(c.type);
    columns.set(c.type, column);
  }
  const { kind, bytes } = sourceOf(c);
  // The field stands within other bytes, as in a scanner's buffer.
  const buffer = new Uint8Array(bytes.length + 4).fill(0x39);
  buffer.set(bytes, 2);
  try {
    const value = castField(kind, buffer, 2, 2 + bytes.length, column, session);
    const shown = datumToBytes(value, column.type);
    buffer.fill(0);
    const text = shown === null ? null : c.out?.textIsHex ? toHex(shown) : textOf(shown);
    return { text, rowHex: rowHex(value, column, zone), warnings: [...warnings] };
  } catch (error) {
    if (!(error instanceof CastError)) throw error;
    return { error: error.code, warnings: [...warnings] };
  }
}

function expected(c: Case): Outcome {
  const warnings = c.warning === null ? [] : [c.warning, ...(c.moreWarnings ?? [])].map((w) => w.code);
  if (c.error !== undefined) return { error: c.error.code, warnings };
  return { text: c.out!.text, rowHex: c.out!.rowHex, warnings };
}

const cases = readJsonLines<Case>("casts.jsonl.gz");

test("the golden casts are all there", () => {
  assert.equal(cases.length, 6182);
});

for (const file of new Set(cases.map((c) => c.file))) {
  test(`golden casts: ${file}`, () => {
    const wrong: unknown[] = [];
    for (const c of cases) {
      if (c.file !== file) continue;
      for (const mode of c.mode === "both" ? (["default", "strict"] as const) : [c.mode]) {
        const want = expected(c);
        const got = run(c, mode);
        try {
          assert.deepEqual(got, want);
        } catch {
          wrong.push({ type: c.type, mode, timeZone: c.timeZone, in: c.in, want, got });
        }
      }
    }
    assert.deepEqual(wrong, []);
  });
}
