/** One simulated import with everything that may go wrong, to its end; throws a Violation when what is left is not as it must be. */
import { type Clock, LevinError, type LevinEvent, type Random, seededRandom, textOf } from "../../src/base/mod.ts";
import { type ImportOptions, type JobState, readJob, runImport } from "../../src/importer/mod.ts";
import { VirtualClock } from "../cluster/virtual-clock.ts";
import { type Backend, Chaos, type Kind, type Phase } from "./chaos.ts";
import { SimCluster } from "./cluster.ts";
import { Disk } from "./disk.ts";
import type { FaultPlan, SimFaultTarget } from "./faults.ts";
import { Judgement, type Said } from "./judgement.ts";
import { type Judge, Life } from "./life.ts";
import type { Pairs } from "./oracle.ts";
import { randomDump } from "./source.ts";
import { StatementJudgement } from "./statement-judgement.ts";
import { environmentOf, type Place, randomStory, type Story, simOptions, statementStory } from "./world.ts";

export class Violation extends Error {}

export interface SimReport {
  /** Lives of the importer until it was done. */
  lives: number;
  /** Steps of the last life. */
  steps: number;
  virtualMs: number;
  pairs: number;
  fired: ReadonlyMap<Kind, number>;
  /** What the run was about. */
  story: Story;
  /** Rows in each other's way, and whether the import had to be refused. */
  conflicts: number;
  refused: boolean;
  /** Events of all lives, for the comparison of two runs of one seed. */
  trace: string[];
}

export interface SimSettings {
  /** Lives with faults; then it must end. */
  livesMax?: number;
  /** Instead of chances. */
  judge?: (life: number) => Judge;
  /** Faults of the embedded services instead of chances. */
  plan?: FaultPlan;
  /** Whether the power is cut where a life dies, instead of a chance. */
  powerCut?: boolean | ((life: number) => boolean);
  /** Instead of a drawn one. */
  story?: Story;
  /** Changes what is simulated, for instance to break it. */
  tamper?: (place: Place, options: ImportOptions) => void;
  onEvent?: (event: LevinEvent, life: number) => void;
  /** Before it is started again. */
  afterLife?: (life: number) => Promise<void>;
}

/** An import as any other. */
export const plainStory: Story = {
  strategy: "",
  wish: { duplicates: false, filled: "no" },
  limits: "wide",
  oldPd: false,
};

/** Of the seeds that draw their story. */
const STATEMENTS_SHARE = 0.25;
const LOCKED_OUT_MAX = 4;
const OPENING_MS_MAX = 100_000;
/** Lives with faults are drawn from 1 to this. */
const LIVES_MAX = 6;
const diskCodes = ["ENOSPC", "EIO", "EMFILE", "EROFS"];
/** An import of some kilobytes takes minutes of virtual time, not hours, whatever happens. */
const LIFE_MS_MAX = 6 * 3600_000;
/** A request that is under way is carried out within this. */
const LATE_MS_MAX = 120_000;
/** By then all that has a time limit is over. */
const LIMITS_MS = 11 * 60_000 + LATE_MS_MAX;

export async function simulate(seed: number, settings: SimSettings = {}): Promise<SimReport> {
  const simulation = await Simulation.open(seed, settings);
  try {
    return await simulation.run();
  } finally {
    await simulation.close();
  }
}

type Outcome = { kind: "died" } | { kind: "failed"; error: unknown } | { kind: "done"; rows: number };

class Simulation {
  readonly #settings: SimSettings;
  readonly #clock: VirtualClock;
  readonly #chaos: Chaos;
  readonly #dice: Random;
  readonly #place: Place;
  readonly #story: Story;
  readonly #options: ImportOptions;
  readonly #trace: (LevinEvent | string)[] = [];
  readonly #lives: Life[] = [];
  readonly #tables: number;
  /** Tables that the journal has. */
  readonly #done = new Set<string>();
  readonly #judgement: Judgement | StatementJudgement;
  /** Pairs of each row that was there before. */
  #before: readonly Pairs[] = [];
  /** What the present life said. */
  #said: Said = silence();
  /** Of the present life: something could not be undone, and it said so. */
  #troubled = false;
  /** Of the present life: the lock could not be given back, and it said so. */
  #saidLocked = false;
  /** An earlier life could not undo everything. */
  #littered = false;

  private constructor(
    settings: SimSettings,
    clock: VirtualClock,
    chaos: Chaos,
    dice: Random,
    place: Place,
    story: Story,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#chaos = chaos;
    this.#dice = dice;
    this.#place = place;
    this.#story = story;
    this.#options = simOptions(dice, place.dump, story);
    this.#tables = [...place.dump.files.keys()].filter((path) => path.endsWith("-schema.sql")).length;
    this.#judgement = new (story.backend === "tidb" ? StatementJudgement : Judgement)(
      place,
      this.#options,
      story,
      (what) => this.#violated(what),
    );
    place.disk.onAppend = (path, bytes) => path === "/state/journal" && this.#follow(bytes);
    settings.tamper?.(place, this.#options);
  }

  static async open(seed: number, settings: SimSettings): Promise<Simulation> {
    const clock = new VirtualClock();
    const backend = backendOf(seed, settings);
    const chaos = new Chaos(seededRandom(seed * 4 + 1), backend);
    if (settings.judge !== undefined) chaos.calm();
    const dice = seededRandom(seed * 4 + 2);
    const random = seededRandom(seed * 4 + 3);
    const drawn = backend === "tidb" ? statementStory(dice) : randomStory(dice);
    const story = settings.story ?? (settings.judge === undefined ? drawn : plainStory);
    const stores = 3 + Math.floor(dice.next() * 2);
    const pds = 1 + Math.floor(dice.next() * 3);
    const plan = settings.plan ?? chaos.plan;
    const cluster = await SimCluster.open({ clock, random, stores, pds, plan, oldPd: story.oldPd });
    chaos.target = targetOf(cluster, clock);
    if (settings.judge === undefined) cluster.sql.plan = chaos.sqlPlan;
    const errorCode = () => diskCodes[Math.floor(dice.next() * diskCodes.length)]!;
    const dump = randomDump(dice, story.wish);
    const place: Place = { clock, random, disk: new Disk(), cluster, dump, errorCode };
    return new Simulation(settings, clock, chaos, dice, place, story);
  }

  async close(): Promise<void> {
    this.#clock.stop();
    // Signals that never fire would keep all that listens to them in memory.
    for (const life of this.#lives) life.stopping.abort(new Error("over"));
    await this.#place.cluster.cluster.close();
  }

  async run(): Promise<SimReport> {
    await this.#prepare();
    let livesMax = this.#settings.livesMax ?? 1 + Math.floor(this.#dice.next() * LIVES_MAX);
    for (let number = 1; ; number++) {
      const last = number > livesMax;
      if (last) this.#calm();
      const outcome = await this.#live(number, last);
      if (outcome.kind === "died") {
        this.#littered = true;
        // A process that is killed loses nothing that it wrote; a power cut, now or later, may take what was not synced.
        const { powerCut = this.#dice.next() < 0.5 } = this.#settings;
        const isCut = typeof powerCut === "function" ? powerCut(number) : powerCut;
        if (isCut) await this.#place.disk.crash(this.#dice);
      }
      if (outcome.kind !== "done" && this.#mayLoseEngines() && this.#chaos.losesEngines())
        this.#place.disk.removeTree("/state/engines");
      await this.#settings.afterLife?.(number);
      // Somebody, or a script, starts it again after a while.
      await this.#clock.sleep(this.#dice.next() * 60_000);
      if (outcome.kind === "died") continue;
      // A clean end undoes everything, or says what it could not undo; what a crash left is undone by the end of the import.
      if (this.#troubled) this.#littered = true;
      if (outcome.kind === "done" ? !this.#troubled : !this.#littered) this.#demandNoLeftovers(number);
      // A lock that the disk did not let go is taken over by the next run, and it is said.
      const isLocked = outcome.kind === "done" && this.#place.disk.files.has("/state/LOCK");
      if (isLocked && !this.#saidLocked) this.#violated("the lock is still held");
      const isRefused = outcome.kind === "failed" && this.#judgement.isRefusal(outcome.error);
      if (outcome.kind === "failed" && !isRefused) {
        // A session of an earlier life that the server has not found broken yet may hold the lock for longer than is waited.
        if (last && isLockedOut(outcome.error) && number < livesMax + LOCKED_OUT_MAX) continue;
        checkFailure(outcome.error, last, (what) => this.#violated(what));
        continue;
      }
      if (isRefused && !last) {
        // It must be refused again, and that without faults.
        livesMax = number;
        continue;
      }
      await this.#over(number);
      const state = await this.#readJob();
      if (outcome.kind === "done") await this.#judgement.done(state, outcome.rows, this.#said, this.#before);
      else await this.#judgement.refused(state, this.#before, outcome.error, this.#said);
      const steps = this.#lives.at(-1)!.steps;
      return { lives: number, steps, ...(await this.#figures(isRefused)) };
    }
  }

  async #figures(refused: boolean): Promise<Omit<SimReport, "lives" | "steps">> {
    const { fired } = this.#chaos;
    const pairs = (await this.#place.cluster.pairs()).size;
    const virtualMs = this.#clock.monotonicMs();
    const { conflicts } = this.#judgement;
    return { virtualMs, pairs, fired, story: this.#story, conflicts, refused, trace: this.#trace.map(lineOf) };
  }

  /** Tables and rows that are there before the import, and limits that depend on what is in conflict. */
  async #prepare(): Promise<void> {
    const { dump, cluster } = this.#place;
    const { limits } = this.#story;
    const isCounted = limits === "conflicts" || limits === "conflicts - 1";
    if (dump.before.length === 0 && !isCounted) return;
    await cluster.prepare(dump.schema);
    this.#before = await cluster.prepare(dump.before.map(({ statement }) => statement));
    if (!isCounted) return;
    const { least, most } = await this.#judgement.conflictLimits(this.#before);
    this.#options.conflict!.threshold = Math.max(0, limits === "conflicts" ? most : least - 1);
  }

  /** Sorted pairs that are lost with what they were compared with cannot be made again. */
  #mayLoseEngines(): boolean {
    const { strategy, backend } = this.#story;
    return backend === "tidb" || (strategy === "" && this.#before.length === 0);
  }

  #calm(): void {
    this.#chaos.calm();
    this.#place.cluster.heal();
    for (const store of this.#place.cluster.cluster.stores.values()) {
      store.down = false;
      store.diskFull = false;
      store.suspendedUntilMs = 0;
    }
  }

  async #live(number: number, last: boolean): Promise<Outcome> {
    const judge: Judge = last ? () => undefined : (this.#settings.judge?.(number) ?? this.#chaos.judge);
    const life = new Life(judge);
    life.later = (run) =>
      void this.#clock.sleep(this.#dice.next() * LATE_MS_MAX).then(() => run().catch(() => undefined));
    this.#troubled = false;
    this.#saidLocked = false;
    const state = await this.#readJob();
    this.#said = { ...silence(), foundDone: state?.done === true };
    this.#chaos.phase = phaseOf(state, this.#tables, this.#story);
    const env = environmentOf(
      this.#place,
      life,
      (event) => {
        if (event.kind === "log") this.#hear(event.message);
        if (event.kind !== "progress") this.#trace.push(event);
        this.#settings.onEvent?.(event, number);
      },
      this.#story.backend === "tidb",
    );
    const startedMs = this.#clock.monotonicMs();
    const outcome = await Promise.race<Outcome>([
      runImport(this.#options, env).then(
        ({ rows }) => ({ kind: "done", rows }),
        (error) => ({ kind: "failed", error }),
      ),
      life.died.then(() => ({ kind: "died" })),
    ]);
    // One that was being opened at the end is closed when it is open.
    const { sql } = this.#place.cluster;
    if (outcome.kind !== "died" && sql.unclosed > 0) await this.#clock.sleep(OPENING_MS_MAX);
    const unclosed = sql.takeUnclosed();
    if (outcome.kind !== "died" && unclosed > 0)
      this.#violated(`life ${number} ended with ${unclosed} connections open`);
    // Whatever it left running does nothing any more, as after the end of a process.
    life.kill();
    this.#lives.push(life);
    const tookMs = this.#clock.monotonicMs() - startedMs;
    if (tookMs > LIFE_MS_MAX) this.#violated(`life ${number} took ${Math.round(tookMs / 60_000)} minutes`);
    this.#trace.push(`life ${number}: ${life.steps} steps, ${describe(outcome)}`);
    return outcome;
  }

  #hear(message: string): void {
    if (/^(import mode|scheduler pause):/.test(message)) this.#troubled = true;
    if (message.startsWith("Cannot give back the lock")) this.#saidLocked = true;
    if (message.startsWith("The target was not told")) this.#said.keepsClaim = true;
    const rejected = /^(\d+) rows were left out because/.exec(message);
    if (rejected !== null) this.#said.rejected = Number(rejected[1]);
    const conflicts = /^(\d+) rows (?:are|were) in the way of others/.exec(message);
    if (conflicts !== null) this.#said.conflicts = Number(conflicts[1]);
  }

  /** Follows the import by the records of its journal, which come one at a time. */
  #follow(bytes: Uint8Array): void {
    const type = /"type":"(\w+)"(?:,"table":"([^"]*)")?/.exec(textOf(bytes.subarray(0, 300)));
    if (type === null) return;
    if (this.#story.backend === "tidb") {
      this.#followStatements(type[1]!, type[2]);
      return;
    }
    const isCompared = this.#story.strategy !== "";
    if (type[1] === "encoded" && isCompared) this.#chaos.phase = "resolve";
    if (type[1] === "conflicts" && this.#before.length > 0) this.#chaos.phase = "clear";
    if (type[1] === "cleared" || type[1] === "range") this.#chaos.phase = "ingest";
    if (type[1] === "table") this.#done.add(type[2]!);
    if (type[1] === "table" && this.#done.size === this.#tables) this.#chaos.phase = "end";
  }

  #followStatements(type: string, table: string | undefined): void {
    if (type === "job") this.#chaos.phase = "begin";
    if (type === "batch" && this.#story.strategy !== "") this.#chaos.phase = "resolve";
    if (type === "chunks") this.#chaos.phase = "ingest";
    if (type === "table") this.#done.add(table!);
    if (type === "table" && this.#done.size === this.#tables) this.#chaos.phase = "end";
  }

  #readJob(): Promise<JobState | undefined> {
    const files = this.#place.disk.filesOf(new Life(() => undefined), () => "EIO");
    return readJob(files, "/state");
  }

  #demandNoLeftovers(number: number): void {
    const left = this.#place.cluster.leftovers();
    if (left.length > 0) this.#violated(`life ${number} ended and left ${left.join(", ")}`);
  }

  /** What was on its way has come, and what holds for a limited time holds no more. */
  async #over(number: number): Promise<void> {
    await this.#clock.sleep(LIMITS_MS);
    this.#place.cluster.forgetLate();
    this.#demandNoLeftovers(number);
  }

  #violated(what: string): never {
    throw new Violation(`${what}\n  ${this.#trace.slice(-12).map(lineOf).join("\n  ")}`);
  }
}

const lineOf = (event: LevinEvent | string): string =>
  withoutUuid(
    typeof event === "string" ? event : JSON.stringify(event, (_, v) => (typeof v === "bigint" ? `${v}` : v)),
  );

const silence = (): Said => ({ foundDone: false, rejected: 0, conflicts: 0, keepsClaim: false });

function phaseOf(state: JobState | undefined, tables: number, { strategy, backend }: Story): Phase {
  if (backend === "tidb") return state !== undefined && state.tables.size === tables ? "end" : "begin";
  if (state === undefined) return "encode";
  if (state.tables.size === tables) return "end";
  const isTaken = ({ conflicts, cleared }: JobState["batches"][number]): boolean =>
    conflicts?.deletes !== undefined && cleared === undefined;
  if (state.batches.some(isTaken)) return "clear";
  const isOpen = state.batches.some((batch) => batch.encoded && batch.conflicts === undefined && !batch.ingested);
  return strategy !== "" && isOpen ? "resolve" : "encode";
}

/** Temporary files of locks have names that no two processes have; they say nothing of a run. */
const withoutUuid = (text: string): string => text.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID");

/** What a seed is about. */
export function backendOf(seed: number, { story, judge }: SimSettings = {}): Backend {
  if (story !== undefined) return story.backend ?? "local";
  // From a source of its own: what other seeds draw stays as it is.
  return judge === undefined && seededRandom(seed * 4).next() < STATEMENTS_SHARE ? "tidb" : "local";
}

const isLockedOut = (error: unknown): boolean => error instanceof LevinError && error.code === "Levin:Tidb:ErrLocked";

function describe(outcome: Outcome): string {
  if (outcome.kind !== "failed") return outcome.kind;
  const { error } = outcome;
  return error instanceof LevinError ? `${error.code} ${error.message}` : String(error);
}

/** A failed life is no violation, but how it fails may be one. */
function checkFailure(error: unknown, last: boolean, violated: (what: string) => never): void {
  if (!(error instanceof LevinError)) {
    violated(`the import ended with a bug: ${error instanceof Error ? error.stack : String(error)}`);
  }
  if (error.code === "Levin:Verify:ErrChecksum") violated(`the checksums differ: ${error.message}`);
  if (
    /^Levin:(State:Err(Changed|Format|Locked|Unfinished|Done|PairsLost|DiskQuota)|Engine:ErrCorrupt|Check:ErrTargetNotEmpty|Encode|Internal)/.test(
      error.code,
    ) ||
    /must be empty/.test(error.message)
  ) {
    violated(`the import cannot be continued: ${error.code} ${error.message}`);
  }
  if (last) violated(`the import fails without faults: ${error.code} ${error.message}\n${error.stack}`);
}

function targetOf(cluster: SimCluster, clock: Clock): SimFaultTarget {
  const { members, leadership } = cluster.pdState;
  return {
    stores: [...cluster.cluster.stores.keys()],
    pds: members.map((_, i) => `pd-${i}:2379`),
    restartStore(id, ms) {
      const store = cluster.cluster.stores.get(id)!;
      cluster.takeDown(store.address, ms);
      store.importModeUntilMs = 0;
      store.startedMs = clock.nowMs();
    },
    takeDown(address, ms) {
      cluster.takeDown(address, ms);
      if (address === "tidb") cluster.sql.restart();
    },
    movePdLeader: (index) => leadership.moveTo(members[index]!),
  };
}
