/** What goes wrong in a simulated import: kinds with a chance each, drawn from one seeded source, up to a number a run. */
import type { Random } from "../../src/base/mod.ts";
import { SqlError } from "../../src/embed/tidb/mod.ts";
import type { Fault, FaultPlan, FaultPoint, SimFaultTarget } from "./faults.ts";
import { serverFault, serverKinds } from "./faults.ts";
import type { Harm, Judge, StepKind } from "./life.ts";
import type { SqlFault, SqlPlan } from "./sql.ts";

/** How rows come in: pairs into TiKV, or statements. */
export type Backend = "local" | "tidb";

/** Beside the faults of the embedded services. */
export const ownKinds = [
  "crash",
  "stop",
  "disk-error",
  "sql-lost",
  "sql-answer-lost",
  "sql-late",
  "status-port-lost",
  "pd-http-lost",
  "pd-http-answer-lost",
  "rpc-lost",
  "rpc-answer-lost",
  "stream-broken",
  "source-error",
  "store-restart",
  "pd-restart",
  "pd-leader-moves",
  "tidb-restart",
  "engines-lost",
  "pd-http-late",
  "pd-http-again",
  "rpc-late",
  "rpc-again",
] as const;
/** Of imports by statements. */
const statementKinds = ["sql-delay", "sql-refused", "commit-late", "commit-answer-lost"] as const;
export type Kind = (typeof ownKinds)[number] | (typeof serverKinds)[number] | (typeof statementKinds)[number];

/** What may go wrong with an import of each backend. */
export const kindsOf: Readonly<Record<Backend, readonly Kind[]>> = {
  local: [...ownKinds, ...serverKinds],
  tidb: [
    "crash",
    "stop",
    "disk-error",
    "sql-lost",
    "sql-answer-lost",
    "sql-late",
    "source-error",
    "tidb-restart",
    "engines-lost",
    ...statementKinds,
  ],
};

/** The largest chance of a step; of kinds that end a life it is less, of kinds whose steps are few it is more. */
const chances: Partial<Record<Kind, number>> = {
  crash: 0.01,
  "status-port-lost": 0.2,
  "pd-http-lost": 0.1,
  "pd-http-answer-lost": 0.1,
  "pd-http-late": 0.1,
  "pd-http-again": 0.1,
  "commit-late": 0.6,
  "commit-answer-lost": 0.6,
  "sql-delay": 0.1,
  "sql-refused": 0.08,
};
const MAX_FAULTS = 40;
const PHASE_CRASH_CHANCE = 0.07;
/** Its steps are very few. */
const CLEAR_CRASH_CHANCE = 0.25;
const LATE_DELETE_CHANCE = 0.5;
const ENGINES_LOST_CHANCE = 0.3;

const DELAY_MS_MAX = 70_000;
/** Errors that another try may not meet. */
const refusals: readonly [number, string][] = [
  [1105, "backoff exceeded, please try again later"],
  [1205, "Lock wait timeout exceeded; try restarting transaction"],
  [1213, "Deadlock found when trying to get lock; try restarting transaction"],
  [1317, "Query execution was interrupted"],
  [8022, "Error: KV error safe to retry"],
  [8028, "Information schema is changed during the execution of the statement"],
  [9001, "PD server timeout"],
  [9005, "Region is unavailable"],
  [9007, "Write conflict, txnStartTS=1"],
];

/** Where an import stands, as its journal says; "begin" and "resolve" are short ones of imports by statements. */
export type Phase = "begin" | "encode" | "resolve" | "clear" | "ingest" | "end";

export class Chaos {
  readonly fired = new Map<Kind, number>();
  readonly #random: Random;
  readonly #chance = new Map<Kind, number>();
  #left = MAX_FAULTS;
  /** Some runs often die in one phase whose steps are few and would seldom be struck; as often as they like. */
  readonly #strikes: Phase | undefined;
  phase: Phase = "encode";
  #isCalm = false;
  /** Set when the cluster is there. */
  target: SimFaultTarget | undefined;

  constructor(random: Random, backend: Backend = "local") {
    this.#random = random;
    const allKinds = kindsOf[backend];
    // Each run has some of the kinds, some of them often: all at once would hide each other.
    const share = 0.15 + 0.5 * random.next();
    const scale = 0.2 + 1.3 * random.next();
    for (const kind of allKinds) {
      if (random.next() < share) this.#chance.set(kind, scale * (chances[kind] ?? 0.03) * random.next());
    }
    const strikes = random.next();
    const third = backend === "local" ? "clear" : "begin";
    this.#strikes = strikes < 0.25 ? "end" : strikes < 0.45 ? "resolve" : strikes < 0.6 ? third : undefined;
  }

  /** No more faults. */
  calm(): void {
    this.#left = 0;
    this.#isCalm = true;
  }

  /** Between two lives: whether the directory of sorted pairs is emptied, as a scratch disk is when its machine is started anew. */
  losesEngines(): boolean {
    return this.#chance.has("engines-lost") && this.#rolls("engines-lost", ENGINES_LOST_CHANCE);
  }

  readonly judge: Judge = (kind, what) => {
    if (this.#isCalm) return undefined;
    if (this.phase === this.#strikes) {
      // Beside those that are counted: they may be used up by then.
      if (this.#random.next() < (this.phase === "clear" ? CLEAR_CRASH_CHANCE : PHASE_CRASH_CHANCE))
        return this.#crash(kind);
    }
    if (this.#left <= 0) return undefined;
    // Few runs delete rows, and a late DELETE is the one statement that could take rows that are to stay.
    if (this.phase === "clear" && kind === "sql" && this.#rolls("sql-late", LATE_DELETE_CHANCE)) return "late";
    if (this.#rolls("crash")) return this.#crash(kind);
    if (this.#rolls("stop")) return "stop";
    this.#cluster();
    if (what === "COMMIT" && this.#rolls("commit-late")) return "late";
    if (what === "COMMIT" && this.#rolls("commit-answer-lost")) return "lose-answer";
    return this.#harmOf(kind);
  };

  /** Of the server of an import by statements. */
  readonly sqlPlan: SqlPlan = (_, isLink) => {
    const fault: SqlFault = {};
    if (this.#rolls("sql-delay")) fault.delayMs = this.#random.next() ** 3 * DELAY_MS_MAX;
    if (isLink && this.#rolls("sql-refused")) {
      const [errno, message] = refusals[Math.floor(this.#random.next() * refusals.length)]!;
      fault.refusal = new SqlError(errno, message);
    }
    return fault;
  };

  readonly plan: FaultPlan = (point: FaultPoint): Fault | undefined => {
    for (const kind of serverKinds) {
      const fault = this.#chance.has(kind) ? serverFault(kind, point, this.#random) : undefined;
      if (fault !== undefined && this.#rolls(kind)) return fault;
    }
    return undefined;
  };

  #crash(kind: StepKind): Harm {
    const where = this.#random.next();
    // A server works on at a statement whose client is gone, often for long.
    if (kind === "sql" && where < 0.5) return "crash-late";
    return where < 0.4 ? "crash-before" : where < 0.8 ? "crash-after" : "crash-late";
  }

  #harmOf(kind: StepKind): Harm {
    switch (kind) {
      case "file":
      case "kvdb":
        return this.#rolls("disk-error") ? "fail" : undefined;
      case "sql":
        if (this.#rolls("sql-late")) return "late";
        return this.#rolls("sql-lost") ? "fail" : this.#rolls("sql-answer-lost") ? "lose-answer" : undefined;
      case "status-port":
        return this.#rolls("status-port-lost") ? "fail" : undefined;
      case "pd-http":
        if (this.#rolls("pd-http-late")) return "late";
        if (this.#rolls("pd-http-again")) return "again";
        return this.#rolls("pd-http-lost") ? "fail" : this.#rolls("pd-http-answer-lost") ? "lose-answer" : undefined;
      case "rpc":
        if (this.#rolls("rpc-late")) return "late";
        if (this.#rolls("rpc-again")) return "again";
        return this.#rolls("rpc-lost") ? "fail" : this.#rolls("rpc-answer-lost") ? "lose-answer" : undefined;
      case "message":
        return this.#rolls("stream-broken") ? "fail" : undefined;
      case "source":
        return this.#rolls("source-error") ? "fail" : undefined;
    }
  }

  #cluster(): void {
    const { target } = this;
    if (target === undefined) return;
    const ms = () => 100 + this.#random.next() * 8000;
    const one = <T>(list: readonly T[]): T => list[Math.floor(this.#random.next() * list.length)]!;
    if (this.#rolls("store-restart")) target.restartStore(one(target.stores), ms());
    if (this.#rolls("pd-restart")) target.takeDown(one(target.pds), ms());
    if (this.#rolls("pd-leader-moves")) target.movePdLeader(Math.floor(this.#random.next() * target.pds.length));
    if (this.#rolls("tidb-restart")) target.takeDown("tidb", ms());
  }

  #rolls(kind: Kind, chance = this.#chance.get(kind)): boolean {
    if (chance === undefined || this.#left <= 0 || this.#random.next() >= chance) return false;
    this.#left--;
    this.fired.set(kind, (this.fired.get(kind) ?? 0) + 1);
    return true;
  }
}
