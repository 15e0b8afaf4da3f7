import type { Check, CheckedTable } from "./check.ts";

/** Text of a compressed byte; Lightning takes 3 too. */
const EXPANSION = 3;
/** Tables whose pairs are on disk at a time: one is encoded while the one before it is ingested. */
const OPEN_TABLES = 2;

/** Pairs of a table: the rows as long as their text, and half of that for each index. */
function pairBytes({ files, info }: CheckedTable): number {
  const indexes = info?.index_info?.length ?? 1;
  const text = files.reduce(
    (sum, { file, compression }) => sum + file.sizeBytes * (compression === "none" ? 1 : EXPANSION),
    0,
  );
  return text * (1 + indexes / 2);
}

/** The directory of sorted pairs has room for the largest tables that are open at once. */
export const freeDisk: Check = async ({ tables, sortedKvDir, files }) => {
  const sizes = tables.map(pairBytes).sort((a, b) => b - a);
  const needed = sizes.slice(0, OPEN_TABLES).reduce((sum, size) => sum + size, 0);
  const free = await files.freeBytes(sortedKvDir);
  if (free === undefined || free >= needed) return [];
  const mib = (bytes: number) => `${Math.ceil(bytes / (1 << 20))} MiB`;
  const detail = `"${sortedKvDir}" has ${mib(free)} free, sorted pairs need about ${mib(needed)}`;
  // The estimate is rough; half of it is a sure failure.
  return [{ check: "free-disk", status: free < needed / 2 ? "failed" : "warning", detail }];
};
