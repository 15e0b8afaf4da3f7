import type { Cluster } from "../state/mod.ts";
import { type ConfigItems, defaultSchedule } from "./default-config.ts";

/** A label rule as PD keeps it; keys are lower-case hex of encoded keys, "" = unbounded. */
export interface LabelRule {
  id: string;
  index: number;
  labels: { key: string; value: string; ttl?: string; start_at?: string; expiresMs?: number }[];
  rule_type: string;
  data: { start_key: string; end_key: string }[];
}

/** Schedulers of a new PD. */
const SCHEDULERS = [
  "balance-region-scheduler",
  "balance-leader-scheduler",
  "balance-hot-region-scheduler",
  "evict-slow-store-scheduler",
  "evict-stopping-store-scheduler",
];

interface Kept {
  schedule: ConfigItems;
  labelRules: LabelRule[];
  schedulers: string[];
  placementRules: Record<string, unknown>[];
}

/** What clients may set in PD. Configuration, rules and the list of schedulers survive a restart; pauses do not, as in PD. */
export class PdSettings {
  readonly #cluster: Cluster;
  schedule: ConfigItems;
  /** Overrides with a time limit, by name with its prefix. They are in effect but not shown. */
  readonly ttlConfig = new Map<string, { value: unknown; expiresMs: number }>();
  readonly labelRules = new Map<string, LabelRule>();
  schedulers: string[] = [...SCHEDULERS];
  readonly #pausedUntilMs = new Map<string, number>();
  placementRules: Record<string, unknown>[];

  private constructor(cluster: Cluster, kept: Kept | undefined) {
    this.#cluster = cluster;
    this.schedule = kept?.schedule ?? defaultSchedule([...cluster.stores.keys()]);
    this.schedulers = kept?.schedulers ?? [...SCHEDULERS];
    this.placementRules = kept?.placementRules ?? [defaultPlacement(cluster)];
    for (const rule of kept?.labelRules ?? [keyspaceRule]) this.labelRules.set(rule.id, rule);
  }

  static async open(cluster: Cluster): Promise<PdSettings> {
    return new PdSettings(cluster, await cluster.facts.get<Kept>("pd"));
  }

  save(): Promise<void> {
    const { schedule, schedulers, placementRules } = this;
    return this.#cluster.facts.set("pd", {
      schedule,
      schedulers,
      placementRules,
      labelRules: [...this.labelRules.values()],
    });
  }

  /** `seconds` 0 resumes. */
  pause(scheduler: string, seconds: number): void {
    if (seconds <= 0) this.#pausedUntilMs.delete(scheduler);
    else this.#pausedUntilMs.set(scheduler, this.#now() + seconds * 1000);
  }

  /** Schedulers that are paused now. */
  paused(): string[] {
    return this.schedulers.filter((name) => (this.#pausedUntilMs.get(name) ?? 0) > this.#now());
  }

  /** A setting that is in effect: an override, else the stored one. */
  effective(name: string): unknown {
    const override = this.ttlConfig.get(`schedule.${name}`);
    if (override !== undefined && override.expiresMs > this.#now()) return override.value;
    return this.schedule[name];
  }

  /** Living label rules, by id. A rule ends with its last label. */
  rules(): LabelRule[] {
    for (const [id, rule] of this.labelRules) {
      rule.labels = rule.labels.filter((label) => label.expiresMs === undefined || label.expiresMs > this.#now());
      if (rule.labels.length === 0) this.labelRules.delete(id);
    }
    return [...this.labelRules.values()];
  }

  #now(): number {
    return this.#cluster.options.clock.nowMs();
  }
}

/** The rule that PD makes for its default keyspace. */
const keyspaceRule: LabelRule = {
  id: "keyspaces/0",
  index: 0,
  labels: [{ key: "id", value: "0" }],
  rule_type: "key-range",
  data: [{ start_key: "7800000000000000fb", end_key: "7800000100000000fb" }],
};

function defaultPlacement(cluster: Cluster): Record<string, unknown> {
  const count = Math.min(cluster.options.replicas ?? 3, Math.max(cluster.stores.size, 1));
  return { group_id: "pd", id: "default", start_key: "", end_key: "", role: "voter", is_witness: false, count };
}
