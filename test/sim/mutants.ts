/** Invariants of the importer broken one at a time: the simulation must find each of them. */

export interface Mutant {
  name: string;
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
];
