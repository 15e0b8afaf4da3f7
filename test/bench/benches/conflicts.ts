/** What rows in each other's way cost, by backend, share of such rows and strategy, beside the same import that looks for none. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mariadbMissing, withMariadb } from "../../interop/mariadb.ts";
import { type Bench, type BenchContext, type BenchResult, type Measure, ResultHash } from "../bench.ts";
import { makeDuplicates } from "../data/duplicates.ts";
import { levin, spawned, withSandbox } from "../spawned.ts";

interface Case {
  stage: string;
  /** Of rows with a key of an earlier one. */
  share: number;
  strategy: "" | "replace" | "ignore";
  /** The table has a row already, so that statements decide. */
  filled?: boolean;
}

const NONE: Case = { stage: "none looked for", share: 0, strategy: "" };
const decided = [0, 0.01, 0.1, 0.5].flatMap((share): Case[] =>
  (["replace", "ignore"] as const).map((strategy) => ({ stage: `${strategy}, ${100 * share} %`, share, strategy })),
);
/** Dumps that the logical backend brings into MariaDB at some megabytes a second. */
const LOGICAL_BYTES_MAX = 20e6;

/** Runs each case on its own dump; `into` gives the flags that lead into an empty target. */
async function eachCase(
  context: BenchContext,
  cases: readonly Case[],
  into: (one: Case, dir: string, use: (target: string[]) => Promise<void>) => Promise<void>,
): Promise<BenchResult> {
  const measures: Measure[] = [];
  const hash = new ResultHash();
  for (const one of cases) {
    const dir = join(context.dir, `case-${measures.length}`);
    const source = join(dir, "source");
    const { bytes, rows } = makeDuplicates(source, context.sizeBytes, one.share, context.seed);
    const toml = join(dir, "levin.toml");
    writeFileSync(
      toml,
      `[mydumper.csv]\nheader = false\n[conflict]\nstrategy = "${one.strategy}"\nthreshold = 100000000\nmax-record-rows = 100\n`,
    );
    await into(one, dir, async (target) => {
      const state = `--state-dir=${join(dir, "state")}`;
      const cost = await spawned(levin("import", source, "-c", toml, "--workers=2", ...target, state));
      const limit = measures.length === 0 ? "file read" : ({ stage: cases[0]!.stage } as const);
      measures.push({ stage: one.stage, bytes, items: rows, ...cost, limit });
    });
    hash.add(rows);
  }
  return { measures, hash: hash.toString() };
}

async function physical(context: BenchContext): Promise<BenchResult> {
  const cases = context.tiny ? [NONE, decided[4]!] : [NONE, ...decided];
  const result = await eachCase(context, cases, (_, dir, use) => withSandbox(dir, use));
  return { ...result, note: "every table's checksum was compared" };
}

async function logical(context: BenchContext): Promise<BenchResult> {
  const filled = decided.map((one) => ({ ...one, stage: `${one.stage}, into rows`, filled: true }));
  const cases = context.tiny ? [NONE, filled[2]!] : [NONE, ...decided, ...filled.filter(({ share }) => share < 0.5)];
  const sizeBytes = Math.min(context.sizeBytes, LOGICAL_BYTES_MAX);
  let result: BenchResult | undefined;
  await withMariadb(async (tidb, port) => {
    result = await eachCase({ ...context, sizeBytes }, cases, async (one, _, use) => {
      await tidb.query("DROP DATABASE IF EXISTS d");
      if (one.filled === true) {
        await tidb.query("CREATE DATABASE d");
        await tidb.query(
          "CREATE TABLE d.t (id BIGINT NOT NULL PRIMARY KEY, u BIGINT, k INT, c VARCHAR(120), UNIQUE KEY uu (u), KEY kk (k))",
        );
        await tidb.query("INSERT INTO d.t VALUES (-1, -1, 0, '')");
      }
      await use(["--backend=tidb", "--tidb-host=127.0.0.1", `--tidb-port=${port}`]);
    });
  });
  return { ...result!, note: "into MariaDB; where the table has rows, statements decide" };
}

export const benches: Bench[] = [
  {
    name: "conflicts/physical",
    about: "whole imports into a sandbox of rows of which some have the key of an earlier one",
    slow: true,
    run: physical,
  },
  ...(mariadbMissing
    ? []
    : [
        {
          name: "conflicts/logical",
          about: "the same by statements into a private MariaDB",
          slow: true,
          run: logical,
        },
      ]),
];
