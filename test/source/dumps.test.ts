/**
 * Real dumps of Dumpling, mydumper, mysqldump and INTO OUTFILE: what the source gives of each table has the digest that the
 * exporting server's own rows have (`truth.json`), in every form.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTableFilter } from "../../src/source/mod.ts";
import { fuzzDump } from "./dump-fuzz.ts";
import { archive, columnsOf, digestOf, type FormOptions, folder, formOptions, json, load, readTable } from "./dumps.ts";
import { fuzzWhole } from "./whole-fuzz.ts";

interface Truth {
  source: { mariadb: Digests; tidb: Digests };
  folders: Record<string, { lightning_config: string }>;
}
type Digests = Record<string, { rows: number; digest: string }>;

/** What a form needs beside the settings that Lightning was given. */
function more(form: string, options: FormOptions): FormOptions {
  const dialect = options.dialect!;
  switch (form) {
    case "mysqldump-row-per-insert":
      return { ...options, database: "odd_a" };
    case "dumpling-tidb-sql-noescape":
      return { ...options, sqlMode: "NO_BACKSLASH_ESCAPES" };
    case "dumpling-tidb-csv-bigquery":
      return { ...options, dialect: { ...dialect, binaryFormat: "base64" } };
    case "dumpling-tidb-csv-redshift":
      return { ...options, dialect: { ...dialect, binaryFormat: "hex" } };
    case "outfile-noescape":
      return { ...ownCharsets(options), dialect: { ...dialect, unescapedQuote: true } };
    case "outfile-exotic":
    case "outfile-tsv":
      return ownCharsets(options);
    default:
      return options;
  }
}

/** INTO OUTFILE under SET NAMES binary: a table's text is in its own character set. */
function ownCharsets(options: FormOptions): FormOptions {
  return {
    ...options,
    tableSettings: [
      { tables: parseTableFilter(["*.gbk_t"]), charset: "gbk" },
      { tables: parseTableFilter(["*.lat1"]), charset: "latin1" },
    ],
  };
}

/**
 * Tables whose dump does not hold what the server held: binary columns that the server converted to utf8mb4 (question marks),
 * BIT columns whose bytes it did not escape, quotes that ESCAPED BY '' left as they were.
 */
const lost: Record<string, Record<string, RegExp | "other">> = {
  "mysqldump-tab": { blobs: "other", numbers: /the file's last line end is escaped \(row 7, column 14,/ },
  "mysqldump-tab-csv": { blobs: "other", numbers: /the quoted field has no end \(row 7, column 14,/ },
  "outfile-csv-optquote": { blobs: "other", numbers: /the file's last line end is escaped \(row 7, column 14,/ },
  "outfile-exotic": { numbers: /text behind a closing quote \(row 3, column 14,/ },
  "outfile-noescape": { js: "other", numbers: "other", strings: "other" },
  "outfile-tsv": { numbers: /the file's last line end is escaped \(row 7, column 14,/ },
};

for (const set of ["odd", "odd-long", "sakila"]) {
  const truth = json<Truth>(`${set}/truth.json`);
  const forms = [...archive().keys()].flatMap((path) => {
    const [name, form, file] = path.split("/");
    return name === set && file !== undefined ? [form!] : [];
  });
  for (const form of new Set(forms)) {
    test(`${set}/${form} holds what the server held`, async () => {
      const storage = folder(`${set}/${form}`);
      const options = more(form, formOptions(`${truth.folders[form]!.lightning_config}\n`));
      const source = await load(storage, options);
      const wanted = form.includes("tidb") ? truth.source.tidb : truth.source.mariadb;
      const names = source.tables.map(({ database, table }) => `${database}.${table}`);
      // Dumpling cannot dump the table with a backtick in a column's name with --complete-insert.
      const absent = form === "dumpling-maria-sql-complete" ? ["odd_a.my table"] : [];
      assert.deepEqual(
        names.sort(),
        Object.keys(wanted)
          .filter((name) => !absent.includes(name))
          .sort(),
      );
      for (const table of source.tables) {
        const name = `${table.database}.${table.table}`;
        const exception = lost[form]?.[table.table];
        if (exception instanceof RegExp) {
          await assert.rejects(readTable(storage, table), exception);
          continue;
        }
        const rows = await readTable(storage, table, { sqlMode: options.sqlMode });
        assert.equal(rows.length, wanted[name]!.rows, name);
        const digest = digestOf(
          rows,
          columnsOf(table).map((column) => column.name),
        );
        // Generated columns are not in these dumps.
        if (digest === undefined) assert.equal(table.table, "gen", name);
        else assert.equal(digest === wanted[name]!.digest, exception === undefined, name);
        const small = await readTable(storage, table, {
          sqlMode: options.sqlMode,
          chunkBytes: 2000,
          windowBytes: 1000,
        });
        assert.deepEqual(small, rows, `${name} in small chunks`);
      }
      const views = source.views.map((view) => view.name);
      if (/views|mysqldump|dumpling-tidb-sql$/.test(form) && set === "odd") {
        const withViews = !/file-per-table/.test(form);
        assert.deepEqual(views, withViews ? ["v one", "v_join"] : [], "views");
      }
    });
  }
}

test("damaged dumps give the same pairs or an error, cut into chunks of any size", async () => {
  for (let seed = 1; seed <= 60; seed++) await fuzzWhole(seed);
});

test("damaged dumps give rows and errors alike in windows of any size", () => {
  for (let seed = 1; seed <= 300; seed++) fuzzDump(seed);
});
