import type { LevinEvent } from "../../base/mod.ts";

/** Decimal megabytes a second, as the benchmarks print them. */
export function rate(bytes: number, ms: number): string {
  return ms <= 0 ? "–" : `${(bytes / 1000 / ms).toFixed(1)} MB/s`;
}

export function sizeText(bytes: number | bigint): string {
  const value = Number(bytes);
  if (value < 1000) return `${value} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(1)} kB`;
  if (value < 1e9) return `${(value / 1e6).toFixed(1)} MB`;
  return `${(value / 1e9).toFixed(2)} GB`;
}

export function elapsedText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

const crcText = (crc: bigint) => crc.toString(16).padStart(16, "0");

/** The line that ends a table: rows, pairs, bytes, CRC-64 of both sides, verdict; of statements the rows of both sides. */
export function tableDoneLine(event: Extract<LevinEvent, { kind: "table-done" }>): string {
  const verdict = event.ok ? "ok" : "DIFFERS";
  if (event.byStatements !== undefined) {
    const { counted } = event.byStatements;
    const there = counted === undefined ? "the target's were not counted" : `${counted} in the target`;
    const unverified = counted === undefined && event.detail !== undefined;
    return `${event.table}: ${event.rows} rows, ${there}, ${unverified ? `not verified: ${event.detail}` : verdict}`;
  }
  const remote = event.remoteCrc === undefined ? "not checked" : crcText(event.remoteCrc);
  const detail = event.detail === undefined ? "" : ` (${event.detail})`;
  return `${event.table}: ${event.rows} rows, ${event.kvs} pairs, ${event.bytes} bytes, crc64 local ${crcText(event.localCrc)} remote ${remote}, ${verdict}${detail}`;
}

export function summaryLine(event: Extract<LevinEvent, { kind: "summary" }>): string {
  const speed = rate(event.sourceBytes, event.elapsedMs);
  const totals = `${event.tables} tables, ${event.rows} rows, ${sizeText(event.sourceBytes)} in ${elapsedText(event.elapsedMs)} (${speed})`;
  return event.exitCode === 0
    ? `done: ${totals}`
    : `not done: ${totals}${event.detail === undefined ? "" : `; ${event.detail}`}`;
}

/** One line of progress, for a terminal's last line and for plain logs. */
export function progressLine(event: Extract<LevinEvent, { kind: "progress" }>, elapsedMs: number): string {
  const part = (done: number, total: number) => (total <= 0 ? 0 : Math.min(100, (100 * done) / total));
  const encoded = part(event.sourceBytes, event.sourceBytesTotal);
  const ingested = part(event.ingestedBytes, event.ingestedBytesTotal);
  const table = event.table === undefined ? "" : ` ${event.table}`;
  return (
    `${event.stage}${table}: source ${encoded.toFixed(0)}% (${sizeText(event.sourceBytes)} of ${sizeText(event.sourceBytesTotal)}), ` +
    `ingested ${event.ingestedBytesTotal <= 0 ? "–" : `${ingested.toFixed(0)}% (${sizeText(event.ingestedBytes)})`}, ${event.rows} rows, ` +
    `${rate(event.sourceBytes, elapsedMs)}, ${elapsedText(elapsedMs)}`
  );
}
