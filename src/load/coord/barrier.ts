import type { Clock } from "../../base/mod.ts";
import type { LoadState } from "../checkpoint-list.ts";
import { dmError } from "../dm-error.ts";
import type { CoordState, CoordStore, Member } from "./coordination.ts";

export interface BarrierOptions {
  clock: Clock;
  store: CoordStore;
  task: string;
  source: string;
  /** How many sources there must be at least. */
  expectSources: number;
  /** Ceiling of one wait. */
  patienceMs: number;
  /** How long a member may be gone before the wait ends. */
  graceMs: number;
  /** What the checkpoint list of the target says of every source: the judge of marks that an earlier attempt left. */
  listStates(): Promise<ReadonlyMap<string, LoadState>>;
  /** Told when the list of those who are waited for changes. */
  onWait(missing: readonly string[]): void;
}

/** Looks at least so often, in case a notice was lost. */
const LOOK_MS = 5_000;

/** The two barriers around the physical loads of one task: all have come before one begins, all have ended before one goes on. */
export class Barrier {
  readonly #options: BarrierOptions;

  constructor(options: BarrierOptions) {
    this.#options = options;
  }

  async readyAndWait(signal: AbortSignal): Promise<void> {
    await this.#options.store.setState("ready");
    await this.#meet("ready", ({ state }) => state !== "not-ready", signal);
  }

  async finishAndWait(signal: AbortSignal): Promise<void> {
    await this.#options.store.setState("finished");
    await this.#meet("finished", ({ state }) => state === "finished", signal);
  }

  /** Until every other source has said what it sent, or has ended without. */
  sumsAndWait(signal: AbortSignal): Promise<void> {
    return this.#meet("verified", ({ state, sums }) => sums !== undefined || state === "finished", signal);
  }

  async #meet(own: CoordState | "verified", arrived: (member: Member) => boolean, signal: AbortSignal): Promise<void> {
    const { clock, store, patienceMs, graceMs } = this.#options;
    if (store.kind === "none") return;
    const startedMs = clock.monotonicMs();
    const goneSince = new Map<string, number>();
    let said = "";
    while (true) {
      signal.throwIfAborted();
      const missing = await this.#missing(arrived);
      if (missing.length === 0) return;
      const now = clock.monotonicMs();
      const names = missing.map(describe);
      if (names.join() !== said) this.#options.onWait(names);
      said = names.join();
      for (const { source, alive } of missing) {
        if (alive !== false) goneSince.delete(source);
        else if (!goneSince.has(source)) goneSince.set(source, now);
      }
      const graceLeft = ({ source }: Member): number =>
        (goneSince.get(source) ?? Number.POSITIVE_INFINITY) + graceMs - now;
      const dead = missing.filter((member) => graceLeft(member) <= 0);
      if (dead.length > 0) throw this.#gone(own, dead);
      const patienceLeft = startedMs + patienceMs - now;
      if (patienceLeft <= 0) throw this.#timedOut(own, names);
      await store.changed(Math.max(1, Math.min(LOOK_MS, patienceLeft, ...missing.map(graceLeft))), signal);
    }
  }

  /** Those that have not arrived; marks of an earlier attempt do not count. */
  async #missing(arrived: (member: Member) => boolean): Promise<Member[]> {
    const { store, source, expectSources } = this.#options;
    const members = await store.members();
    const states = members.some((member) => member.source !== source && isDoubtful(member))
      ? await this.#options.listStates()
      : undefined;
    const missing = members.filter(
      (member) => member.source !== source && !(arrived(member) && !isStale(member, states)),
    );
    for (let i = members.length; i < expectSources; i++) {
      missing.push({
        source: `source ${i + 1} of ${expectSources}`,
        state: "not-ready",
        worker: "",
        alive: undefined,
        sums: undefined,
      });
    }
    return missing;
  }

  #gone(own: string, dead: readonly Member[]): Error {
    const who = dead.map(describe).join(", ");
    return dmError("HAInvalidItem", [
      `task ${this.#options.task} cannot get ${own}: the lease of ${who} has run out; start it again, then resume`,
    ]);
  }

  #timedOut(own: string, names: readonly string[]): Error {
    const { task, patienceMs } = this.#options;
    return dmError("HAInvalidItem", [
      `task ${task} cannot get ${own}: still waiting after ${Math.round(patienceMs / 1000)} s for ${names.join(", ")}`,
    ]);
  }
}

function describe({ source, worker, state }: Member): string {
  return `${source} (${worker === "" ? "" : `worker ${worker}, `}${state})`;
}

/** A mark that somebody left who may not be there any more. */
function isDoubtful({ state, alive }: Member): boolean {
  return state === "finished" || (state === "ready" && alive === false);
}

/** `finished` where the target says that the load is not; `ready` of a dead worker that had not begun. */
function isStale(member: Member, states: ReadonlyMap<string, LoadState> | undefined): boolean {
  if (states === undefined || !isDoubtful(member)) return false;
  const real = states.get(member.source) ?? "init";
  return member.state === "finished" ? real !== "finished" : real === "init";
}
