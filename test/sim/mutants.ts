/** Invariants of the importer broken one at a time: the simulation must find each of them. */

import type { Backend } from "./chaos.ts";

export interface Mutant {
  name: string;
  /** Whose imports it breaks; absent: those of pairs. */
  backend?: Backend;
  file: string;
  /** Stands once in the file. */
  find: string;
  replace: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: "a chunk is recorded before its run is committed",
    file: "src/importer/encode/batch-encoder.ts",
    find: "  async flush(): Promise<void> {\n",
    replace:
      "  async flush(): Promise<void> {\n    if (this.#chunks.length > 0) this.#options.onFlushed({ data: [], index: [] }, this.#chunks);\n",
  },
  {
    name: "a range is skipped after a resume",
    file: "src/importer/ingest-batch.ts",
    find: "  const ranges = all.filter((range) => {\n",
    replace: "  const ranges = all.slice(done.size).filter((range) => {\n",
  },
  {
    name: "a range is recorded before it is ingested",
    file: "src/ingest/ingest-ranges.ts",
    find: "await report(range, await ingestRange(range, env));",
    replace: "await report(range, { pairs: 0, bytes: 0, ssts: 0 });\n        await ingestRange(range, env);",
  },
  {
    name: "the journal is not synced",
    file: "src/importer/job.ts",
    find: '{ sync: record.type !== "table" }',
    replace: "{ sync: false }",
  },
  {
    name: "runs that the journal does not know are kept",
    file: "src/importer/encode-batch.ts",
    find: "!state.runs[name].has(run.runId) && run.sources.length === 0",
    replace: "run.runId < 0",
  },
  {
    name: "an epoch that is gone is ingested into",
    file: "src/ingest/run-job.ts",
    find: "await env.tikv.ingest(region, written.metas, env.signal)",
    replace: "await env.tikv.ingest({ ...region, epoch: { ...region.epoch, version: 1n } }, written.metas, env.signal)",
  },
  {
    name: "not every peer is written to",
    file: "src/ingest/write-region.ts",
    find: "  const { region, range, signal } = write;\n",
    replace:
      "  const { range, signal } = write;\n  const peers = write.region.peers.filter((peer, i) => i === 0 || peer.id === write.region.leader?.id);\n  const region = { ...write.region, peers };\n",
  },
  {
    name: "the label rule stays at the end",
    file: "src/importer/run.ts",
    find: "undo.push(() => pause.close());",
    replace: "undo.push(async () => void pause.record);",
  },
  {
    name: "the report of rejected rows is made only by runs that encode",
    file: "src/importer/run.ts",
    find: "    return await sayEnd(context, []);",
    replace: "    return;",
  },
  {
    name: "automatic ids are not raised",
    file: "src/importer/finish-table.ts",
    find: "  await rebaseAutoIncrement(tidb, table.database, table.table, used + 1n);\n",
    replace: "",
  },
  {
    name: "a batch gets another commit timestamp in each run",
    file: "src/importer/ingest-batch.ts",
    find: "commitTs: state.commitTs,",
    replace: "commitTs: await pd.timestamp(),",
  },
  {
    name: "conflicts are recorded as resolved before the overlay is on disk",
    file: "src/importer/conflict/resolve-batch.ts",
    find: '    if (strategy !== "error") await flush();\n',
    replace: `    if (strategy !== "error" && losers <= threshold) {
      const tables = this.#sums.flatMap(({ rows, checksum }, i) => {
        const { kvs, bytes, crc64xor } = checksum.result();
        const table = this.#batch.tables[i]!.name;
        return rows === 0 ? [] : [{ table, rows, kvs: String(kvs), bytes: String(bytes), crc: String(crc64xor) }];
      });
      const more = deletes.length === 0 ? {} : { deletes };
      await this.#context.job.append({ type: "conflicts", batch: this.#batch.id, losers, tables, ...more });
    }
    if (strategy !== "error") await flush();
`,
  },
  {
    name: "rows of the target are deleted without a lock",
    file: "src/importer/conflict/existing-rows.ts",
    find: "  await underLocks(tidb, {",
    replace:
      "  const unlocked = (_: object, work: (query: typeof tidb.query) => Promise<void>) => tidb.session(work);\n  await unlocked({",
  },
  {
    name: "rows that are left out stay in the checksum",
    file: "src/importer/conflict/resolve-batch.ts",
    find: "      checksum.addAt(pair, 2, keyEnd, pair, keyEnd, pair.length);\n",
    replace: "",
  },
  {
    name: "keys of different tables are taken for each other",
    file: "src/importer/conflict/key-table.ts",
    find: "    let a = 0x239b961b;\n",
    replace: "    from = Math.min(to, from + 9);\n    let a = 0x239b961b;\n",
  },
  {
    name: "a row that is left out still hides the rows behind it",
    file: "src/importer/conflict/decide.ts",
    find: '    if (rule === "only") for (const slot of slots)',
    replace: '    if (rule !== "last") for (const slot of slots)',
  },
  {
    name: "a run that goes on forgets how many rows could not be cast",
    file: "src/importer/run.ts",
    find: "  checkTypeErrors(guarded);\n",
    replace: "",
  },
  {
    name: "engines are removed under their own name",
    file: "src/importer/engines.ts",
    find: "  await files.rename(dir, aside);\n",
    replace: "  if (aside !== dir) return await files.removeTree(dir);\n",
  },
  {
    name: "the position moves in another transaction than the rows",
    backend: "tidb",
    file: "src/logical/lane.ts",
    find: "        const result = await work(link);\n",
    replace: '        const result = await work(link);\n        await link.run("COMMIT");\n',
  },
  {
    name: "a COMMIT whose answer was lost is taken for applied",
    backend: "tidb",
    file: "src/logical/lane.ts",
    find: "        const now = await this.#onLink((link) => positions.read(link, batch, chunk));\n",
    replace:
      "        const now = done !== undefined ? to : await this.#onLink((link) => positions.read(link, batch, chunk));\n",
  },
  {
    name: "positions are read without a lock",
    backend: "tidb",
    file: "src/logical/position-table.ts",
    find: ' FOR UPDATE`);\n    await link.run("ROLLBACK");',
    replace: '`);\n    await link.run("ROLLBACK");',
  },
  {
    name: "a chunk is done although its last statement failed",
    backend: "tidb",
    file: "src/logical/load-chunk.ts",
    find: "      await this.#underWay;\n      return {",
    replace: "      return {",
  },
  {
    name: "a chunk that goes on sends all its rows",
    backend: "tidb",
    file: "src/logical/load-chunk.ts",
    find: "          if (row <= skip) continue;\n",
    replace: "",
  },
  {
    name: "a statement that is repeated is in the report twice",
    backend: "tidb",
    file: "src/importer/logical/chunk-reports.ts",
    find: "    this.#entries = this.#entries.filter((entry) => entry.position < position);\n",
    replace: "",
  },
  {
    name: "chunks of a table where the order decides are sent side by side",
    backend: "tidb",
    file: "src/importer/logical/load-batch.ts",
    find: "  return decides && losers?.has(table) !== true &&",
    replace: "  return !decides && losers?.has(table) !== true &&",
  },
  {
    name: "a run that has failed takes its claim back although rows are in",
    backend: "tidb",
    file: "src/importer/logical/run-logical.ts",
    find: "    await takeBack(context, connected);\n",
    replace: "    await context.positions.remove(connected).catch(() => undefined);\n",
  },
];
