/** What a source says of itself at the two barriers of physical loads, as DM spells it. */
export type CoordState = "not-ready" | "ready" | "finished";

/** Sums over what one source has sent to one table; whole numbers as decimal text. */
export interface TableSums {
  kvs: string;
  bytes: string;
  crc: string;
}

/** A source of the task as the coordination has it. */
export interface Member {
  source: string;
  state: CoordState;
  /** Empty where nobody has said. */
  worker: string;
  /** False: a worker of levin held it and its lease has run out. Undefined: nothing can be known (DM's workers have no leases). */
  alive: boolean | undefined;
  sums: Readonly<Record<string, TableSums>> | undefined;
}

/**
 * Where the units of one task meet: DM's keys in etcd, a table in the target, a directory, or nowhere. A store holds facts; the order of
 * steps is `Barrier`'s. Errors of all methods: DM's 42501 and 42502, or a LevinError.
 */
export interface CoordStore {
  readonly kind: "none" | "etcd" | "table" | "directory";
  /** Says who works on this source, keeps saying so until `leave`; creates `not-ready` for sources that are not there. Throws 34017 when another living worker does. */
  join(signal: AbortSignal): Promise<void>;
  /** Stops saying so; facts stay. Never throws. */
  leave(): Promise<void>;
  /** The worker that is known to have the dump; undefined when nobody is. */
  owner(): Promise<string | undefined>;
  /** Forgets who has it. */
  release(): Promise<void>;
  setState(state: CoordState): Promise<void>;
  /** What this source has sent; undefined: nothing is said yet. */
  setSums(sums: Readonly<Record<string, TableSums>> | undefined): Promise<void>;
  members(): Promise<Member[]>;
  /** Resolves when something may have changed since the last `members`, at the latest after so many milliseconds. */
  changed(ms: number, signal: AbortSignal): Promise<void>;
  /** Removes all that is known of the task. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

/** Who a unit is in a coordination. */
export interface CoordIdentity {
  task: string;
  source: string;
  worker: string;
  /** All sources of the task; more may turn up. */
  sources: readonly string[];
}

/** A unit alone: nothing is kept, nobody waits. */
export const noCoordination: CoordStore = {
  kind: "none",
  join: async () => undefined,
  leave: async () => undefined,
  owner: async () => undefined,
  release: async () => undefined,
  setState: async () => undefined,
  setSums: async () => undefined,
  members: async () => [],
  changed: async () => undefined,
  clear: async () => undefined,
  close: async () => undefined,
};
