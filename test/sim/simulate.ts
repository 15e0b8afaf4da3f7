/** One simulated import with everything that may go wrong, to its end; throws a Violation when what is left is not as it must be. */
import { type Clock, LevinError, type LevinEvent, type Random, seededRandom, textOf } from "../../src/base/mod.ts";
import { type ImportOptions, type JobState, readJob, runImport } from "../../src/importer/mod.ts";
import { VirtualClock } from "../cluster/virtual-clock.ts";
import { Chaos, type Kind } from "./chaos.ts";
import { SimCluster } from "./cluster.ts";
import { Disk } from "./disk.ts";
import type { FaultPlan, SimFaultTarget } from "./faults.ts";
import { type Judge, Life } from "./life.ts";
import { naiveImport, randomDump } from "./source.ts";
import { environmentOf, type Place, simOptions } from "./world.ts";

export class Violation extends Error {}

export interface SimReport {
  /** Lives of the importer until it was done. */
  lives: number;
  /** Steps of the last life. */
  steps: number;
  virtualMs: number;
  pairs: number;
  fired: ReadonlyMap<Kind, number>;
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
  /** Changes what is simulated, for instance to break it. */
  tamper?: (place: Place, options: ImportOptions) => void;
  onEvent?: (event: LevinEvent, life: number) => void;
  /** Before it is started again. */
  afterLife?: (life: number) => Promise<void>;
}

/** Lives with faults are drawn from 1 to this. */
const LIVES_MAX = 6;
const diskCodes = ["ENOSPC", "EIO", "EMFILE", "EROFS"];
/** An import of some kilobytes takes minutes of virtual time, not hours, whatever happens. */
const LIFE_MS_MAX = 6 * 3600_000;

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
  readonly #options: ImportOptions;
  readonly #trace: string[] = [];
  readonly #lives: Life[] = [];
  readonly #tables: number;
  /** Tables that a life has said to be in. */
  readonly #done = new Set<string>();
  /** Of the present life: something could not be undone, and it said so. */
  #troubled = false;
  /** Of the present life: the lock could not be given back, and it said so. */
  #saidLocked = false;
  /** Of the present life: how many rows it said were left out. */
  #saidRejected = 0;
  /** Of the present life: it found the import done. */
  #foundDone = false;
  /** An earlier life could not undo everything. */
  #littered = false;

  private constructor(settings: SimSettings, clock: VirtualClock, chaos: Chaos, dice: Random, place: Place) {
    this.#settings = settings;
    this.#clock = clock;
    this.#chaos = chaos;
    this.#dice = dice;
    this.#place = place;
    this.#options = simOptions(dice, place.dump);
    this.#tables = [...place.dump.files.keys()].filter((path) => path.endsWith("-schema.sql")).length;
    settings.tamper?.(place, this.#options);
  }

  static async open(seed: number, settings: SimSettings): Promise<Simulation> {
    const clock = new VirtualClock();
    const chaos = new Chaos(seededRandom(seed * 4 + 1));
    if (settings.judge !== undefined) chaos.calm();
    const dice = seededRandom(seed * 4 + 2);
    const random = seededRandom(seed * 4 + 3);
    const stores = 3 + Math.floor(dice.next() * 2);
    const pds = 1 + Math.floor(dice.next() * 3);
    const cluster = await SimCluster.open({ clock, random, stores, pds, plan: settings.plan ?? chaos.plan });
    chaos.target = targetOf(cluster, clock);
    const errorCode = () => diskCodes[Math.floor(dice.next() * diskCodes.length)]!;
    const place: Place = { clock, random, disk: new Disk(), cluster, dump: randomDump(dice), errorCode };
    return new Simulation(settings, clock, chaos, dice, place);
  }

  async close(): Promise<void> {
    this.#clock.stop();
    // Signals that never fire would keep all that listens to them in memory.
    for (const life of this.#lives) life.stopping.abort(new Error("over"));
    await this.#place.cluster.cluster.close();
  }

  async run(): Promise<SimReport> {
    const livesMax = this.#settings.livesMax ?? 1 + Math.floor(this.#dice.next() * LIVES_MAX);
    for (let number = 1; ; number++) {
      const last = number > livesMax;
      if (last) this.#calm();
      const judge: Judge = last ? () => undefined : (this.#settings.judge?.(number) ?? this.#chaos.judge);
      const life = new Life(judge);
      const outcome = await this.#live(life, number);
      this.#trace.push(`life ${number}: ${life.steps} steps, ${withoutUuid(describe(outcome))}`);
      if (outcome.kind === "died") {
        this.#littered = true;
        // A process that is killed loses nothing that it wrote; a power cut, now or later, may take what was not synced.
        const { powerCut = this.#dice.next() < 0.5 } = this.#settings;
        const isCut = typeof powerCut === "function" ? powerCut(number) : powerCut;
        if (isCut) await this.#place.disk.crash(this.#dice);
      }
      if (outcome.kind !== "done" && this.#chaos.losesEngines()) this.#place.disk.removeTree("/state/engines");
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
      if (outcome.kind === "failed") {
        checkFailure(outcome.error, last, (what) => this.#violated(what));
        continue;
      }
      await this.#check(outcome.rows);
      const { fired } = this.#chaos;
      const virtualMs = this.#clock.monotonicMs();
      const pairs = (await this.#place.cluster.pairs()).size;
      return { lives: number, steps: life.steps, virtualMs, pairs, fired, trace: this.#trace };
    }
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

  async #live(life: Life, number: number): Promise<Outcome> {
    this.#troubled = false;
    this.#saidLocked = false;
    this.#saidRejected = 0;
    this.#chaos.isEnding = false;
    this.#foundDone = (await this.#readJob())?.done === true;
    const env = environmentOf(this.#place, life, (event) => {
      if (event.kind === "log") this.#hear(event.message);
      if (event.kind === "table-done") this.#chaos.isEnding = this.#done.add(event.table).size === this.#tables;
      if (event.kind !== "progress")
        this.#trace.push(JSON.stringify(event, (_, v) => (typeof v === "bigint" ? `${v}` : v)));
      this.#settings.onEvent?.(event, number);
    });
    const startedMs = this.#clock.monotonicMs();
    const outcome = await Promise.race<Outcome>([
      runImport(this.#options, env).then(
        ({ rows }) => ({ kind: "done", rows }),
        (error) => ({ kind: "failed", error }),
      ),
      life.died.then(() => ({ kind: "died" })),
    ]);
    // Whatever it left running does nothing any more, as after the end of a process.
    life.kill();
    this.#lives.push(life);
    const tookMs = this.#clock.monotonicMs() - startedMs;
    if (tookMs > LIFE_MS_MAX) this.#violated(`life ${number} took ${Math.round(tookMs / 60_000)} minutes`);
    return outcome;
  }

  #hear(message: string): void {
    if (/^(import mode|scheduler pause):/.test(message)) this.#troubled = true;
    if (message.startsWith("Cannot give back the lock")) this.#saidLocked = true;
    const rejected = /^(\d+) rows were left out because/.exec(message);
    if (rejected !== null) this.#saidRejected = Number(rejected[1]);
  }

  #readJob(): Promise<JobState | undefined> {
    const files = this.#place.disk.filesOf(new Life(() => undefined), () => "EIO");
    return readJob(files, "/state");
  }

  #demandNoLeftovers(number: number): void {
    const left = this.#place.cluster.leftovers();
    if (left.length > 0) this.#violated(`life ${number} ended and left ${left.join(", ")}`);
  }

  async #check(rows: number): Promise<void> {
    const { cluster, dump, disk } = this.#place;
    const state = await this.#readJob();
    if (state?.done !== true) this.#violated("the journal does not say that the import is done");
    const engines = [...disk.maps.keys(), ...disk.files.keys()].filter((path) => path.startsWith("/state/engines"));
    if (engines.length > 0) this.#violated(`${engines.length} files of engines are left`);
    const models = new Map(cluster.front.catalog.tables("d").map((info) => [`d.${info.name.O}`, info]));
    const session = {
      sqlMode: this.#options.sqlMode,
      timeZone: "UTC",
      newCollations: true,
      rowFormatVersion: 2 as const,
      rowLevelChecksum: false,
      nowMs: state!.startedMs,
      defaultWeekFormat: 0,
    };
    const { pairs: expected, maxIds } = await naiveImport(dump.files, models, session, this.#options);
    const found = await cluster.pairs();
    for (const [key, value] of expected) {
      if (found.get(key) === undefined) this.#violated(`the pair ${key} is lost (${found.size} of ${expected.size})`);
      if (found.get(key) !== value) this.#violated(`the pair ${key} has another value`);
    }
    if (found.size !== expected.size) this.#violated(`there are ${found.size - expected.size} pairs too many`);
    const sourceRows = [...state!.tables.values()].reduce((sum, table) => sum + table.result.rows, 0);
    if (rows !== sourceRows) this.#violated(`${rows} rows are reported, ${sourceRows} are in the journal`);
    if ([...state!.tables.values()].some((table) => !table.verified)) this.#violated("a table was not verified");
    if (rows !== dump.rows - dump.badRows) this.#violated(`${rows} rows are reported of ${dump.rows}`);
    const report = disk.files.get("/state/reports/type-errors.ndjson");
    const reported = textOf(report?.bytes ?? new Uint8Array(0))
      .split("\n")
      .filter((line) => line !== "");
    if (reported.length !== dump.badRows || new Set(reported).size !== dump.badRows) {
      this.#violated(`the report has ${reported.length} rows, ${dump.badRows} are bad`);
    }
    // A run that was killed between its last table and its reports leaves them to the next; only one that finds all done is silent.
    if (!this.#foundDone && this.#saidRejected !== dump.badRows) {
      this.#violated(`${this.#saidRejected} rows are said to be left out, ${dump.badRows} are bad`);
    }
    const repeated = await cluster.repeatedKeys();
    if (repeated.length > 0) this.#violated(`${repeated.length} keys have two versions, the first is ${repeated[0]}`);
    for (const [table, largest] of maxIds) {
      const next = await cluster.nextId(table);
      if (next <= largest) this.#violated(`the next id of ${table} is ${next}, ${largest} is in use`);
    }
    if (cluster.harms.length > 0) this.#violated(`a real store would have come to harm: ${cluster.harms[0]}`);
  }

  #violated(what: string): never {
    throw new Violation(`${what}\n  ${this.#trace.slice(-12).join("\n  ")}`);
  }
}

/** Temporary files of locks have names that no two processes have; they say nothing of a run. */
const withoutUuid = (text: string): string => text.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UUID");

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
    /^Levin:(State:Err(Changed|Format|Locked|Done)|Engine:ErrCorrupt|Check:ErrTargetNotEmpty|Encode|Internal)/.test(
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
    takeDown: (address, ms) => cluster.takeDown(address, ms),
    movePdLeader: (index) => leadership.moveTo(members[index]!),
  };
}
