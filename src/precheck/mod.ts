/**
 * Checks of source, host and target before an import, one file each. A check only looks; it changes nothing. It lacks those that need the
 * cluster's statistics (sizes of stores, empty regions, versions).
 */
import type { Check, CheckInput, Finding } from "./check.ts";
import { checkpointMatches } from "./checkpoint-matches.ts";
import { csvHeader } from "./csv-header.ts";
import { freeDisk } from "./free-disk.ts";
import { largeFiles } from "./large-files.ts";
import { openFiles } from "./open-files.ts";
import { schemaValid } from "./schema-valid.ts";
import { sourceReadable } from "./source-readable.ts";
import { tableDefinition } from "./table-definition.ts";
import { targetEmpty } from "./target-empty.ts";

export type { CheckedTable, CheckInput, Finding } from "./check.ts";

const checks: readonly [name: string, check: Check, meaning: string][] = [
  ["source-readable", sourceReadable, "every file can be opened; compressed ones are read to their end by the import"],
  ["csv-header", csvHeader, "no header is read as a row"],
  ["schema-valid", schemaValid, "the first row of every file fits its table"],
  ["table-definition", tableDefinition, "tables that the target has are as the schema files define them"],
  ["large-files", largeFiles, "no large file is decompressed by one thread"],
  ["free-disk", freeDisk, "there is room for the sorted pairs"],
  ["open-files", openFiles, "enough files may be open"],
  ["checkpoint-matches", checkpointMatches, "the state directory fits the source"],
  ["target-empty", targetEmpty, "the tables are empty"],
];

/** Those of the physical backend alone. */
const ofPairs = new Set(["schema-valid", "free-disk", "open-files", "target-empty"]);

/** Runs all checks, each one whatever the others found; at least one finding a check. */
export async function runChecks(input: CheckInput): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, check, meaning] of checks) {
    if (input.byStatements && ofPairs.has(name)) continue;
    const found = await check(input);
    if (found.length === 0) findings.push({ check: name, status: "ok", detail: meaning });
    findings.push(...found);
  }
  return findings;
}
