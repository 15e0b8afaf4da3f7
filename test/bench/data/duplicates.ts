/** A dump of one table in two files in which some rows have the primary key, or the value in a unique index, of an earlier row. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../../../src/base/mod.ts";

/** Rows of about `share` of all collide, half of them by each key. */
export function makeDuplicates(
  dir: string,
  sizeBytes: number,
  share: number,
  seed: number,
): { bytes: number; rows: number } {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "d-schema-create.sql"), "CREATE DATABASE d;\n");
  writeFileSync(
    join(dir, "d.t-schema.sql"),
    "CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, u BIGINT, k INT, c VARCHAR(120), UNIQUE KEY uu (u), KEY kk (k));\n",
  );
  const random = seededRandom(seed);
  const lines: string[] = [];
  let bytes = 0;
  for (let row = 0; bytes < sizeBytes; row++) {
    const earlier = (): number => Math.floor(random.next() * row);
    const collides = row > 0 && random.next() < share;
    const id = collides && random.next() < 0.5 ? earlier() : row;
    const u = collides && id === row ? earlier() : row;
    const line = `${id},${u},${row % 1000},"${"x".repeat(80)}${row}"\n`;
    bytes += line.length;
    lines.push(line);
  }
  const half = lines.length >> 1;
  writeFileSync(join(dir, "d.t.1.csv"), lines.slice(0, half).join(""));
  writeFileSync(join(dir, "d.t.2.csv"), lines.slice(half).join(""));
  return { bytes, rows: lines.length };
}
