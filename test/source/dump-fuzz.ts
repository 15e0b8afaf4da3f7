/** Real dump files with bytes changed and ends cut: nothing but rows and proper errors, the same in windows of any size. */
import assert from "node:assert/strict";
import { LevinError, seededRandom } from "../../src/base/mod.ts";
import { CsvScanner, defaultCsvDialect, type RowScanner, SqlScanner } from "../../src/source/mod.ts";
import { pick } from "./csv-fuzz.ts";
import { archive } from "./dumps.ts";
import { scanAll } from "./scan.ts";

/** Larger files would make a case take long. */
const FILE_BYTES_MAX = 60_000;
const SPECIAL = new TextEncoder().encode("'\"\\`,;()*/#-\n\0");

let files: [path: string, bytes: Uint8Array][] | undefined;

/** One case; throws with the seed where something else happens. */
export function fuzzDump(seed: number): void {
  files ??= [...archive()].filter(
    ([path, bytes]) => /\.(sql|csv|txt)$/.test(path) && bytes.length > 0 && bytes.length < FILE_BYTES_MAX,
  );
  const random = seededRandom(seed);
  const [path, original] = pick(random, files);
  let bytes = original.slice();
  for (let changes = Math.floor(random.next() * 6); changes > 0; changes--) {
    const byte = random.next() < 0.5 ? Math.floor(random.next() * 256) : pick(random, [...SPECIAL]);
    bytes[Math.floor(random.next() * bytes.length)] = byte;
  }
  if (random.next() < 0.2) bytes = bytes.slice(0, Math.floor(random.next() * bytes.length));
  const most = random.next() < 0.5 ? 50 : 5000;
  for (const scanner of scannersFor(path)) {
    const stepwise = scanAll(scanner(), bytes.slice(), () => 1 + Math.floor(random.next() * most));
    const whole = scanAll(scanner(), bytes.slice(), () => 1 << 20);
    const place = `seed ${seed}, ${path}`;
    for (const { error } of [stepwise, whole]) assert.ok(error === undefined || error instanceof LevinError, place);
    assert.equal(stepwise.error?.message, whole.error?.message, place);
    assert.deepEqual(stepwise.rows, whole.rows, place);
  }
}

function scannersFor(path: string): (() => RowScanner)[] {
  if (!path.endsWith(".sql")) {
    return [() => new CsvScanner({ file: path, dialect: defaultCsvDialect, atFileStart: true })];
  }
  const sql = { file: path, onStatement: (): void => undefined };
  return [() => new SqlScanner(sql), () => new SqlScanner({ ...sql, onSkippedRow: () => undefined })];
}
