/**
 * Keeps PD's schedulers off the keys of an import, always with a time limit. PD 6.1 and later: a label rule on the key ranges
 * themselves. Before: the balancing schedulers of the whole cluster, paused with a delay, and limits overridden with a time to live.
 */
import { type Clock, LevinError } from "../base/mod.ts";
import type { Json, KeyRange, PdHttp } from "../cluster/mod.ts";
import { Lease } from "./lease.ts";

export type PauseApi = Pick<
  PdHttp,
  | "version"
  | "putDenyRule"
  | "deleteLabelRule"
  | "labelRuleIds"
  | "schedulers"
  | "pauseScheduler"
  | "scheduleConfig"
  | "overrideConfig"
  | "stores"
>;

interface SchedulerPauseOptions {
  readonly clock: Clock;
  readonly pd: PauseApi;
  /** Unique to the job and this pause; begins with `pauseRulePrefix` so that it is found after a crash. */
  readonly ruleId: string;
  readonly ranges: readonly KeyRange[];
  /** PD ends the pause by itself after so long; renewed at a third of it. */
  readonly ttlSeconds?: number;
  /** `global`: as for an old PD, whatever its version is. */
  readonly scope?: "table" | "global";
  readonly onTrouble?: (thrown: unknown) => void;
  readonly signal?: AbortSignal;
}

/** What a pause has changed; plain data for a journal, so that a later run can undo it. */
export type PauseRecord = { readonly kind: "rule"; readonly ruleId: string } | ClusterPause;

interface ClusterPause {
  readonly kind: "schedulers";
  readonly names: readonly string[];
  readonly config: Readonly<Record<string, Json>>;
}

export const pauseRulePrefix = "levin-";

/** As Lightning: five minutes, renewed every 100 seconds. */
const ttlSecondsDefault = 300;
const undoWithinMs = 15_000;

/** Those that move regions or leaders; others may go on (wire.md 13). */
const schedulerNames = [
  "balance-leader-scheduler",
  "balance-hot-region-scheduler",
  "balance-region-scheduler",
  "shuffle-leader-scheduler",
  "shuffle-region-scheduler",
  "shuffle-hot-region-scheduler",
];

const limitMax = 40;
const pendingPeersMax = 2_147_483_647;

/** `await using`. */
export class SchedulerPause {
  readonly record: PauseRecord;
  readonly #lease: Lease;

  private constructor(record: PauseRecord, lease: Lease) {
    this.record = record;
    this.#lease = lease;
  }

  /** Pauses, or throws `Levin:Cluster:*` with nothing left paused, or what is left reported. */
  static async open(options: SchedulerPauseOptions): Promise<SchedulerPause> {
    const record = await makeRecord(options);
    const lease = new Lease({
      clock: options.clock,
      everyMs: ((options.ttlSeconds ?? ttlSecondsDefault) * 1000) / 3,
      renew: (signal) => pause(record, options, signal),
      undo: (signal) => undoPause(record, options.pd, signal),
      undoWithinMs,
      onTrouble: (thrown) => options.onTrouble?.(thrown),
    });
    try {
      await pause(record, options, options.signal);
    } catch (thrown) {
      // Some of it may be there already.
      await lease.close();
      throw thrown;
    }
    return new SchedulerPause(record, lease);
  }

  /** Lets PD schedule again. Never throws. */
  close(): Promise<void> {
    return this.#lease.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

async function makeRecord(options: SchedulerPauseOptions): Promise<PauseRecord> {
  const { pd, signal } = options;
  if (options.scope !== "global" && (await knowsLabelRules(pd, signal)))
    return { kind: "rule", ruleId: options.ruleId };
  const present = new Set(await pd.schedulers({}, signal));
  const stores = await pd.stores(signal);
  const names = schedulerNames.filter((name) => present.has(name));
  return { kind: "schedulers", names, config: overrides(await pd.scheduleConfig(signal), stores.length) };
}

/** What a pause for the whole cluster left: the schedulers that PD lists as paused, whoever has paused them; undefined where there are none. */
export async function foundPause(pd: PauseApi, signal?: AbortSignal): Promise<ClusterPause | undefined> {
  const paused = new Set(await pd.schedulers({ paused: true }, signal));
  const names = schedulerNames.filter((name) => paused.has(name));
  if (names.length === 0) return undefined;
  return { kind: "schedulers", names, config: overrides(await pd.scheduleConfig(signal), 1) };
}

/** A build that does not tell its version is asked for its rules. */
async function knowsLabelRules(pd: PauseApi, signal: AbortSignal | undefined): Promise<boolean> {
  const version = await pd.version(signal);
  if (version !== undefined) return version[0] > 6 || (version[0] === 6 && version[1] >= 1);
  try {
    await pd.labelRuleIds(signal);
    return true;
  } catch (thrown) {
    if (thrown instanceof LevinError && thrown.fields["status"] === 404) return false;
    throw thrown;
  }
}

/** Limits that let regions be moved by request but not merged; items that this PD lacks are left out. */
function overrides(current: Readonly<Record<string, Json>>, storeCount: number): Record<string, Json> {
  const scaled = (name: string): Json => {
    const value = current[name];
    return typeof value === "number" ? Math.min(limitMax, value * Math.max(1, storeCount)) : limitMax;
  };
  const wanted: Record<string, Json> = {
    "max-merge-region-keys": 0,
    "max-merge-region-size": 0,
    "leader-schedule-limit": scaled("leader-schedule-limit"),
    "region-schedule-limit": scaled("region-schedule-limit"),
    "max-snapshot-count": scaled("max-snapshot-count"),
    "enable-location-replacement": "false",
    "max-pending-peer-count": pendingPeersMax,
  };
  const known = Object.entries(wanted).filter(([name]) => current[name] !== undefined);
  return Object.fromEntries(known.map(([name, value]) => [`schedule.${name}`, value]));
}

async function pause(record: PauseRecord, options: SchedulerPauseOptions, signal?: AbortSignal): Promise<void> {
  const ttlSeconds = options.ttlSeconds ?? ttlSecondsDefault;
  if (record.kind === "rule") {
    await options.pd.putDenyRule({ id: record.ruleId, ranges: options.ranges, ttlSeconds }, signal);
    return;
  }
  for (const name of record.names) await options.pd.pauseScheduler(name, ttlSeconds, signal);
  if (Object.keys(record.config).length > 0) await options.pd.overrideConfig(record.config, ttlSeconds, signal);
}

/** Takes a pause back; the pause of another run, told by its record, as well. */
export async function undoPause(record: PauseRecord, pd: PauseApi, signal?: AbortSignal): Promise<void> {
  if (record.kind === "rule") {
    await pd.deleteLabelRule(record.ruleId, signal);
    return;
  }
  let first: { readonly thrown: unknown } | undefined;
  for (const name of record.names) {
    try {
      await pd.pauseScheduler(name, 0, signal);
    } catch (thrown) {
      first ??= { thrown };
    }
  }
  if (Object.keys(record.config).length > 0) await pd.overrideConfig(record.config, 0, signal);
  if (first !== undefined) throw first.thrown;
}
