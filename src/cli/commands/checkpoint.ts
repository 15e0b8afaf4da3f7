import { command, flag, option, optional, positional, string, subcommands } from "cmd-ts";
import { LevinError, toHex } from "../../base/mod.ts";
import {
  Coverage,
  dropLock,
  LoadReport,
  loadBackupMetadata,
  planRemoval,
  readLockFile,
  removalStatements,
  removeCheckpoint,
  removeTables,
} from "../../br/mod.ts";
import { cipherFlag, damageLines, jsonLine, lineVisitor, visitItems } from "../checkpoint-items.ts";
import { type CheckpointTarget, metadataLine, openTarget, type TargetFlags } from "../checkpoint-target.ts";
import type { CommandIo } from "../io.ts";
import { LineWriter } from "../line-writer.ts";

const EXIT_BAD_DATA = 4;

const targetArgs = {
  dir: positional({
    type: optional(string),
    displayName: "DIR",
    description: "directory of the external storage, or s3://BUCKET/PREFIX?endpoint=…",
  }),
  dsn: option({
    type: optional(string),
    long: "dsn",
    description: "cluster with the tables: mysql://user:password@host:port/",
  }),
  table: option({
    type: optional(string),
    long: "table",
    description: "as --dsn; or, beside --dsn, which tables: snapshot, custom-sst or log",
  }),
  kind: option({ type: optional(string), long: "kind", description: "backup, restore or log; default: what is there" }),
  task: option({
    type: optional(string),
    long: "task",
    description: "name of a restore task in files; snapshot, custom-sst or log in tables",
  }),
};

const readArgs = {
  ...targetArgs,
  layout: option({
    type: optional(string),
    long: "layout",
    description: "2024 for tables of releases 8.4 and 8.5; all others are told apart without it",
  }),
  cipher: option({
    type: optional(string),
    long: "cipher",
    description: "METHOD:HEXKEY, for example aes256-ctr:00ff…",
  }),
};

async function withTarget(
  io: CommandIo,
  flags: TargetFlags,
  use: (target: CheckpointTarget) => Promise<number>,
): Promise<number> {
  const target = await openTarget(flags, io.environment);
  try {
    return await use(target);
  } finally {
    await target.close();
  }
}

/** `levin checkpoint export`: metadata, then every range or item, as JSON lines. */
const exportCommand = (io: CommandIo) =>
  command({
    name: "export",
    description: "Print a checkpoint as JSON lines: metadata first, then every range or item in the order read.",
    args: { ...readArgs, strict: flag({ long: "strict", description: "stop at anything damaged" }) },
    handler: (args) =>
      withTarget(io, args, async (target) => {
        const out = new LineWriter(io.stdout);
        const report = new LoadReport(args.strict);
        const metadata = await metadataLine(target, report);
        await out.line(jsonLine(metadata));
        try {
          const lines = lineVisitor((line) => out.line(jsonLine(line)));
          await visitItems(target, cipherFlag(args.cipher), report, io.signal, lines);
        } finally {
          await out.flush();
          for (const line of damageLines(report)) io.stderr.write(`warning: ${line}\n`);
        }
        if (metadata["error"] === undefined) return 0;
        io.stderr.write(`error: ${metadata["error"]}\n`);
        return EXIT_BAD_DATA;
      }),
  });

/** `levin checkpoint verify`: reads everything and tells what is wrong. */
const verifyCommand = (io: CommandIo) =>
  command({
    name: "verify",
    description: "Read the whole checkpoint and tell what is damaged.",
    args: { ...readArgs, json: flag({ long: "json", description: "as one JSON line" }) },
    handler: (args) =>
      withTarget(io, args, async (target) => {
        const cipher = cipherFlag(args.cipher);
        const report = new LoadReport();
        const { error } = await metadataLine(target, report);
        const errors = error === undefined ? [] : [`${error}`];
        const checksumDocuments = report.documents;
        const checksumItems = report.items;
        let nameless = 0;
        const visitor = lineVisitor(() => {});
        visitor.restore = (_table, { rangeKey, name }) => {
          if (rangeKey.length === 0 && name.length === 0) nameless++;
        };
        try {
          await visitItems(target, cipher, report, io.signal, visitor);
        } catch (thrown) {
          const known = LevinError.from(thrown);
          // A key that is missing or wrong says nothing of the checkpoint.
          if (known.code !== "Levin:Br:ErrFormat") throw thrown;
          errors.push(known.message);
        }
        const good = errors.length === 0 && report.damageCount === 0;
        const summary = {
          ok: good,
          kind: target.kind,
          dataDocuments: report.documents - checksumDocuments,
          checksumDocuments,
          bytes: report.bytes,
          groups: report.groups,
          items: report.items - checksumItems,
          checksums: checksumItems,
          damaged: report.damageCount,
          foreign: report.foreignCount,
          errors,
        };
        if (args.json) io.stdout.write(`${jsonLine({ ...summary, damages: report.damages })}\n`);
        else {
          io.stdout.write(
            `${target.name}: ${summary.dataDocuments} data and ${checksumDocuments} checksum documents, ${report.groups} groups, ${summary.items} items, ${checksumItems} checksums\n`,
          );
          for (const line of [...damageLines(report), ...errors.map((text) => `broken: ${text}`)])
            io.stdout.write(`${line}\n`);
          if (report.foreignCount > 0)
            io.stdout.write(`${report.foreignCount} foreign files, first "${report.foreign[0]}"\n`);
          if (nameless > 0 && !target.olderItems) {
            io.stdout.write(
              `${nameless} items without a name: tables of releases 8.4 and 8.5 are read with --layout 2024\n`,
            );
          }
          io.stdout.write(good ? "good\n" : "not good\n");
        }
        return good ? 0 : EXIT_BAD_DATA;
      }),
  });

interface ShownRange {
  start: string;
  end: string;
  parts: number;
  files: number;
  kvs: string;
  bytes: string;
  holes: { start: string; end: string }[];
}

/** How far the ranges of a backup are. */
async function backupRanges(
  target: CheckpointTarget,
  cipher: string | undefined,
  io: CommandIo,
): Promise<ShownRange[]> {
  const { storage, paths } = target.files!;
  const { metadata } = await loadBackupMetadata(storage, { layout: paths.layout });
  const coverage = new Coverage(metadata.ranges ?? []);
  const visitor = lineVisitor(() => {});
  visitor.backup = (_key, range) => {
    if (range !== null) coverage.add(range);
  };
  await visitItems(target, cipherFlag(cipher), new LoadReport(), io.signal, visitor);
  return coverage.result().map((range) => ({
    start: toHex(range.startKey),
    end: toHex(range.endKey),
    parts: range.parts,
    files: range.files,
    kvs: `${range.totalKvs}`,
    bytes: `${range.totalBytes}`,
    holes: range.holes.map(({ startKey, endKey }) => ({ start: toHex(startKey), end: toHex(endKey) })),
  }));
}

/** Items by table (restore) or by group (log restore). */
async function itemCounts(
  target: CheckpointTarget,
  cipher: string | undefined,
  io: CommandIo,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const count = (key: string, more: number): void => void counts.set(key, (counts.get(key) ?? 0) + more);
  await visitItems(target, cipherFlag(cipher), new LoadReport(), io.signal, {
    backup: (key) => count(key, 1),
    restore: (tableId) => count(`table ${tableId}`, 1),
    log: (key, { foffs }) =>
      count(
        key,
        [...(foffs?.values() ?? [])].reduce((sum, list) => sum + (list?.length ?? 0), 0),
      ),
  });
  return counts;
}

async function lockLine(target: CheckpointTarget, nowMs: number): Promise<string> {
  const { storage, paths } = target.files!;
  const lock = paths.lock === undefined ? undefined : await readLockFile(storage, paths.lock);
  if (lock === undefined) return "not locked";
  const leftMs = Number(lock.expireAt) - nowMs;
  const left = Math.round(Math.abs(leftMs) / 1000);
  return `lock ${lock.lockId}, ${leftMs > 0 ? `in force for ${left} s more` : `expired ${left} s ago`} by this machine's clock`;
}

/** `levin checkpoint show`: what task, how far. */
const showCommand = (io: CommandIo) =>
  command({
    name: "show",
    description: "Show what a checkpoint is of, and how far it is.",
    args: { ...readArgs, json: flag({ long: "json", description: "as one JSON line" }) },
    handler: (args) =>
      withTarget(io, args, async (target) => {
        const report = new LoadReport();
        const metadata = await metadataLine(target, report);
        const lock = target.kind === "backup" ? await lockLine(target, io.clock.nowMs()) : undefined;
        const isBackup = target.kind === "backup" && metadata["error"] === undefined;
        const ranges = isBackup ? await backupRanges(target, args.cipher, io) : undefined;
        const counts = isBackup ? undefined : await itemCounts(target, args.cipher, io);
        if (args.json) {
          const items = counts === undefined ? undefined : Object.fromEntries(counts);
          io.stdout.write(
            `${jsonLine({ kind: target.kind, where: target.name, lock, ...metadata, progress_of_ranges: ranges, items })}\n`,
          );
          return 0;
        }
        io.stdout.write(`${target.kind} checkpoint in ${target.name}\n`);
        if (lock !== undefined) io.stdout.write(`${lock}\n`);
        if (metadata["error"] !== undefined) io.stdout.write(`metadata cannot be read: ${metadata["error"]}\n`);
        else writeMetadata(io, metadata);
        if (ranges !== undefined) writeRanges(io, ranges);
        for (const [key, count] of counts ?? []) io.stdout.write(`${key}: ${count} done\n`);
        return 0;
      }),
  });

/** The plain values of the metadata, a line each; lists by their length. */
function writeMetadata(io: CommandIo, line: Record<string, unknown>): void {
  const all: Record<string, unknown> = { ...(line["metadata"] as object | null), ...line, metadata: null };
  for (const [name, value] of Object.entries(all)) {
    if (value === null || value === undefined) continue;
    const size = Array.isArray(value)
      ? value.length
      : typeof value === "object"
        ? Object.keys(value).length
        : undefined;
    io.stdout.write(`${name.replaceAll("_", " ")}: ${size ?? value}\n`);
  }
}

function writeRanges(io: CommandIo, ranges: readonly ShownRange[]): void {
  const done = ranges.filter(({ holes }) => holes.length === 0).length;
  io.stdout.write(`${done} of ${ranges.length} ranges done\n`);
  for (const { start, end, parts, files, kvs, bytes, holes } of ranges) {
    const state = holes.length === 0 ? "done" : parts === 0 ? "not begun" : `${holes.length} holes`;
    io.stdout.write(
      `${start} to ${end || "the end"}: ${state}, ${parts} parts, ${files} files, ${kvs} pairs, ${bytes} bytes\n`,
    );
    if (parts === 0) continue;
    for (const hole of holes) io.stdout.write(`  missing ${hole.start} to ${hole.end || "the end"}\n`);
  }
}

async function refuseLocked(io: CommandIo, target: CheckpointTarget, force: boolean, what: string): Promise<void> {
  const { storage, paths } = target.files!;
  if (force || paths.lock === undefined) return;
  const lock = await readLockFile(storage, paths.lock).catch(() => undefined);
  if (lock === undefined || Number(lock.expireAt) <= io.clock.nowMs()) return;
  throw new LevinError(
    "Levin:Br:ErrLocked",
    `Cannot ${what} "${target.name}": ${await lockLine(target, io.clock.nowMs())}; --force does it all the same`,
  );
}

/** `levin checkpoint rm`: says what it would remove; with --yes does it. */
const removeCommand = (io: CommandIo) =>
  command({
    name: "rm",
    description: "Remove a checkpoint; without --yes only say what would be removed.",
    args: {
      ...targetArgs,
      yes: flag({ long: "yes", description: "really remove" }),
      force: flag({ long: "force", description: "also under a lock in force" }),
    },
    handler: (args) =>
      withTarget(io, args, async (target) => {
        if (target.tables !== undefined) {
          const { query, db } = target.tables;
          if (!args.yes) for (const sql of removalStatements(db)) io.stdout.write(`would run ${sql}\n`);
          else if (await removeTables(query, db)) io.stdout.write(`removed ${db}\n`);
          else io.stdout.write(`removed the tables of ${db}; the database stays, other tables are in it\n`);
          return 0;
        }
        const { storage, paths } = target.files!;
        const plan = await planRemoval(storage, paths);
        if (!args.yes) {
          for (const name of [...plan.first, ...plan.rest]) io.stdout.write(`would remove ${name}\n`);
          return 0;
        }
        await refuseLocked(io, target, args.force, "remove");
        const { removed, left } = await removeCheckpoint(storage, plan);
        io.stdout.write(`removed ${removed} files\n`);
        for (const name of left) io.stderr.write(`warning: cannot remove ${name}\n`);
        return left.length === 0 ? 0 : 1;
      }),
  });

/** `levin checkpoint unlock`: removes the lock of a backup whose owner is gone. */
const unlockCommand = (io: CommandIo) =>
  command({
    name: "unlock",
    description: "Remove the lock of a backup checkpoint whose owner is gone.",
    args: {
      dir: positional({ type: string, displayName: "DIR" }),
      force: flag({ long: "force", description: "also a lock that is in force" }),
    },
    handler: ({ dir, force }) =>
      withTarget(io, { dir, dsn: undefined, kind: "backup", task: undefined }, async (target) => {
        const { storage, paths } = target.files!;
        const found = await storage.read(paths.lock!);
        if (found === undefined) {
          io.stdout.write("not locked\n");
          return 0;
        }
        await refuseLocked(io, target, force, "unlock");
        const line = await lockLine(target, io.clock.nowMs()).catch(() => "a broken lock file");
        if (!(await dropLock(storage, paths.lock!, found))) {
          throw new LevinError("Levin:Br:ErrLocked", `Cannot unlock "${target.name}": the lock was renewed just now`);
        }
        io.stdout.write(`removed: ${line}\n`);
        return 0;
      }),
  });

export const checkpointCommand = (io: CommandIo) =>
  subcommands({
    name: "checkpoint",
    description: "Look at, check, export and remove checkpoints of BR's backups and restores.",
    cmds: {
      show: showCommand(io),
      verify: verifyCommand(io),
      export: exportCommand(io),
      rm: removeCommand(io),
      unlock: unlockCommand(io),
    },
  });
