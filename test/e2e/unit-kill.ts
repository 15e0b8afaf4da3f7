/** Units of one task as processes, one of them killed with -9 at its n-th step; a step is what others can see of it: keys, rows, journal. */
import fs from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/base/mod.ts";
import { EtcdClient } from "../../src/load/mod.ts";
import { connect } from "./harness.ts";
import { type TaskPlace, Unit, writeTask } from "./units.ts";

export interface UnitKill {
  task: string;
  coord: "directory" | "table" | "etcd";
  size: number;
  /** Number of the unit that is killed, from 0. */
  doomed: number;
  /** It is killed once it has made so many steps; it may have made another by then. */
  steps: number;
  /** How long it stays dead: past leases and grace, the others end with an error and go on by themselves. */
  deadMs: number;
}

export interface UnitKillResult {
  /** The last step before the kill; undefined: it ended before it had made so many. */
  killedAt: string | undefined;
  differences: string[];
}

const LIMIT_MS = 120_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Steps of one unit, in the order in which they were seen. */
class Steps {
  readonly seen: string[] = [];
  readonly #known = new Map<string, string>();
  readonly #kill: UnitKill;
  readonly #journal: string;
  readonly #source: string;
  readonly #sql: Awaited<ReturnType<typeof connect>>;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;

  private constructor(
    kill: UnitKill,
    unit: Unit,
    sql: Awaited<ReturnType<typeof connect>>,
    etcd: EtcdClient | undefined,
  ) {
    this.#kill = kill;
    this.#source = `source${kill.doomed + 1}`;
    this.#journal = join(unit.state, "import", "journal");
    this.#sql = sql;
    this.#watching = etcd === undefined ? Promise.resolve() : this.#watch(etcd).catch(() => undefined);
  }

  static async open(kill: UnitKill, unit: Unit, place: TaskPlace, etcd: EtcdClient | undefined): Promise<Steps> {
    return new Steps(kill, unit, await connect({ tidb: place }), etcd);
  }

  /** Keys of the unit, whoever has written them. */
  async #watch(etcd: EtcdClient): Promise<void> {
    const hex = (text: string): string => Buffer.from(text).toString("hex");
    const tail = `/${hex(this.#kill.task)}/${hex(this.#source)}`;
    for await (const { key, value } of etcd.watch("/", 1n, this.#stop.signal))
      if (key.endsWith(tail)) this.seen.push(`${key.slice(0, -tail.length)} ${value ?? "removed"}`.slice(0, 60));
  }

  /** Looks at rows and journal. */
  async look(): Promise<void> {
    const journal = fs.existsSync(this.#journal) ? fs.readFileSync(this.#journal, "latin1") : "";
    const records = [...journal.matchAll(/\{"type":"(\w+)"/g)].map((found) => found[1]!);
    this.#note("journal", `${records.length} ${records.at(-1) ?? ""}`, records.length > 0);
    const { task, coord } = this.#kill;
    const tables = [
      [`${task}_lightning_checkpoint_list`, "status"],
      [`${task}_levin_load`, "phase"],
      ...(coord === "table" ? [[`${task}_load_coord`, "state, joined, sums <> ''"]] : []),
    ] as const;
    for (const [table, columns] of tables) {
      const query = `SELECT ${columns} FROM dm_meta.${table} WHERE source_name = '${this.#source}'`;
      // It is not there from the start.
      const found = await this.#sql.query(query).catch(() => undefined);
      const row = (found?.[0] as unknown as unknown[][] | undefined)?.[0];
      if (row !== undefined) this.#note(table.slice(task.length + 1), row.map(String).join(" "), true);
    }
  }

  #note(what: string, value: string, isThere: boolean): void {
    if (!isThere || this.#known.get(what) === value) return;
    this.#known.set(what, value);
    this.seen.push(`${what} ${value}`);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#watching;
    this.#sql.destroy();
  }
}

/** Runs a task's units, one of which is killed and begun again, to their end. */
export async function killUnit(
  place: TaskPlace,
  kill: UnitKill,
  etcdEndpoint: string | undefined,
): Promise<UnitKillResult> {
  const { task, size, coord } = kill;
  const file = writeTask(place, task, size);
  const words =
    coord === "etcd"
      ? ["--etcd", etcdEndpoint!]
      : ["--coord", coord === "table" ? "table" : `dir:${join(place.dir, task, "meet")}`];
  const etcd =
    etcdEndpoint === undefined ? undefined : new EtcdClient({ endpoints: [etcdEndpoint], clock: systemClock });
  const units = Array.from({ length: size }, (_, i) => new Unit(place, task, file, `source${i + 1}`, words));
  const doomed = units[kill.doomed]!;
  const steps = await Steps.open(kill, doomed, place, coord === "etcd" ? etcd : undefined);
  try {
    for (const unit of units) unit.start();
    while (doomed.isRunning && steps.seen.length < kill.steps) {
      await steps.look();
      await pause(5);
    }
    const killedAt = doomed.isRunning ? steps.seen.at(-1) : undefined;
    if (killedAt !== undefined) {
      doomed.signal("SIGKILL");
      await doomed.ended;
      await pause(kill.deadMs);
      doomed.start();
    }
    return { killedAt, differences: await endOf(place, kill, units, etcd) };
  } finally {
    for (const unit of units) if (unit.isRunning) unit.signal("SIGKILL");
    await steps.close();
    etcd?.close();
  }
}

/** What is not as it must be when all have ended. */
async function endOf(place: TaskPlace, kill: UnitKill, units: Unit[], etcd: EtcdClient | undefined): Promise<string[]> {
  const { task, size, coord } = kill;
  const out: string[] = [];
  const title = JSON.stringify(kill);
  for (const unit of units) {
    const code = await Promise.race([unit.ended, pause(LIMIT_MS).then(() => "no end")]);
    if (code !== 0) out.push(`${title}: ${unit.title}: ${code}: ${unit.err.slice(-500)}`);
  }
  if (out.length > 0) return out;
  const sql = await connect({ tidb: place });
  try {
    const column = async (text: string): Promise<string> => {
      const [rows] = (await sql.query(text)) as unknown as [unknown[][]];
      return rows.map((row) => String(row[0])).join();
    };
    const ids = Array.from({ length: 10 * size }, (_, i) => i).join();
    const finished = Array.from({ length: size }, () => "finished").join();
    const demand = (what: string, found: string, wanted: string): void => {
      if (found !== wanted) out.push(`${title}: ${what}: ${found}`);
    };
    demand("rows", await column(`SELECT id FROM ${task}.t ORDER BY id`), ids);
    demand("list", await column(`SELECT status FROM dm_meta.${task}_lightning_checkpoint_list`), finished);
    demand("phases", await column(`SELECT phase FROM dm_meta.${task}_levin_load`), finished);
    if (coord === "etcd") {
      const { entries } = await etcd!.prefix("/levin/");
      const hex = Buffer.from(task).toString("hex");
      const left = entries.filter(({ key }) => key.includes(`/${hex}/`) && !key.includes("load-sums"));
      demand("left in etcd", left.map(({ key }) => key).join(), "");
    }
  } finally {
    sql.destroy();
  }
  return out;
}
