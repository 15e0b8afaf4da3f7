/**
 * Real dumps of Dumpling, mydumper, mysqldump and INTO OUTFILE, imported into the embedded cluster and read back by SQL: every table has
 * the rows and the digest that the exporting server's own had (`truth.json`).
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { archive, json } from "../source/dumps.ts";
import { Place } from "./in-process.ts";

interface Truth {
  source: { mariadb: Digests; tidb: Digests };
  folders: Record<string, { lightning_config: string }>;
}
type Digests = Record<string, { rows: number; digest: string }>;

/** Beside the settings that Lightning was given for a form; TOML behind `[mydumper.csv]` where it begins without a section. */
const settings: Record<string, { toml?: string; flags?: string[]; set?: [string, string][] }> = {
  "mysqldump-row-per-insert": { flags: ["--database=odd_a"] },
  "dumpling-tidb-sql-noescape": { flags: ["--sql-mode=STRICT_TRANS_TABLES,NO_BACKSLASH_ESCAPES"] },
  "dumpling-tidb-csv-bigquery": { toml: 'binary-format = "base64"' },
  "dumpling-tidb-csv-redshift": { toml: 'binary-format = "hex"' },
  "outfile-noescape": { toml: "unescaped-quote = true\n" },
};

/** INTO OUTFILE under SET NAMES binary: a table's text is in its own character set. */
const ownCharsets = ["gbk_t:gbk", "lat1:latin1"]
  .map((one) => one.split(":"))
  .map(([table, charset]) => `[[mydumper.tables]]\nfilter = ["*.${table}"]\ndata-character-set = "${charset}"\n`)
  .join("");

/**
 * Tables whose dump does not hold what the server held (binary columns converted to utf8mb4, BIT columns whose bytes were not escaped,
 * quotes that ESCAPED BY '' left as they were): the first error of an import of all tables, and the tables to leave out for the rest.
 */
const lost: Record<string, { tables: string[]; error?: RegExp }> = {
  "mysqldump-tab": { tables: ["blobs", "numbers"], error: /"numbers\.txt": .* \(row 7, column 14, byte 774\)/ },
  "mysqldump-tab-csv": { tables: ["blobs", "numbers"], error: /"numbers\.txt": .* \(row 7, column 14, byte 944\)/ },
  "outfile-csv-optquote": { tables: ["blobs", "numbers"], error: /numbers\.csv": .* \(row 7, column 14, byte 774\)/ },
  "outfile-exotic": { tables: ["numbers"], error: /numbers\.csv": text behind a closing quote \(row 3, column 14,/ },
  "outfile-noescape": { tables: ["js", "numbers", "strings"] },
  "outfile-tsv": { tables: ["numbers"], error: /numbers\.csv": .* \(row 7, column 14,/ },
  // Dumpling cannot dump the table with a backtick in a column's name with --complete-insert.
  "dumpling-maria-sql-complete": { tables: ["my table"] },
};

/** Zero dates and years are in the data. */
const MODE = '[tidb]\nsql-mode = "STRICT_TRANS_TABLES"\n';

function configuration(form: string, lightning: string): string {
  const given = /^\[/.test(lightning) ? lightning : `[mydumper]\n${lightning}`;
  const more = settings[form]?.toml ?? "";
  return `${MODE}${given}${more}\n${/^outfile-(exotic|tsv|noescape)/.test(form) ? ownCharsets : ""}`;
}

function filesOf(folder: string): [string, Uint8Array][] {
  return [...archive()]
    .filter(([path]) => path.startsWith(`${folder}/`) && !path.endsWith("/.gitkeep"))
    .map(([path, bytes]) => [path.slice(folder.length + 1), bytes]);
}

const quoted = (name: string): string => `\`${name.replaceAll("`", "``")}\``;

/** Of all rows, as the truth files have it. `z` is the ZEROFILL column of one table: MariaDB sends its zeros, TiDB does not. */
function digest(rows: (Buffer | null)[][], zerofill: number): string {
  const lines = rows.map((row) =>
    row
      .map((field, k) => (field === null ? "\\N" : k === zerofill ? hex(Number(String(field))) : field.toString("hex")))
      .join(","),
  );
  return createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}

const hex = (value: number): string => Buffer.from(String(value)).toString("hex");

let place: Place;

before(async () => {
  place = await Place.open();
});

after(() => place.close());

async function dropAll(databases: Iterable<string>): Promise<void> {
  for (const database of new Set(databases)) await place.sql.query(`DROP DATABASE IF EXISTS ${quoted(database)}`);
}

for (const set of ["odd", "odd-long", "sakila"]) {
  const truth = json<Truth>(`${set}/truth.json`);
  const forms = new Set(
    [...archive().keys()].flatMap((path) => {
      const [name, form, file] = path.split("/");
      return name === set && file !== undefined ? [form!] : [];
    }),
  );
  describe(set, () => {
    for (const form of forms) {
      test(`${form} goes in as it is`, { timeout: 60_000 }, async () => {
        const wanted = form.includes("tidb") ? truth.source.tidb : truth.source.mariadb;
        const names = Object.keys(wanted).map((name) => [name.slice(0, name.indexOf(".")), name] as const);
        const source = place.folder(filesOf(`${set}/${form}`));
        const toml = configuration(form, truth.folders[form]!.lightning_config);
        const flags = settings[form]?.flags ?? [];
        const without = (tables: readonly string[]) =>
          ["*.*", ...tables.map((t) => `!*."${t}"`)].flatMap((r) => ["-f", r]);
        const known = lost[form];
        if (known?.error !== undefined) {
          const failed = await place.import(source, toml, ...flags);
          assert.equal(failed.code, 4, failed.err);
          assert.match(failed.err, known.error);
          await dropAll(names.map(([database]) => database));
        }
        const absent = known?.tables ?? [];
        const { code, err } = await place.import(source, toml, ...flags, ...without(absent));
        assert.equal(code, 0, err);
        for (const [database, name] of names) {
          const table = name.slice(database.length + 1);
          if (absent.includes(table)) continue;
          const rows = await place.rows(`SELECT * FROM ${quoted(database)}.${quoted(table)}`);
          assert.equal(rows.length, wanted[name]!.rows, name);
          const zerofill = table === "numbers" && form.includes("tidb") ? 9 : -1;
          assert.equal(digest(rows, zerofill), wanted[name]!.digest, name);
        }
        await dropAll(names.map(([database]) => database));
      });
    }
  });
}
