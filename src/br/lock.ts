import { type Clock, equalBytes, LevinError } from "../base/mod.ts";
import type { ObjectStorage } from "../storage/mod.ts";
import { printLock, readLock } from "./metadata-json.ts";
import type { LockFile } from "./shapes.ts";
import { isStorageError } from "./storage-error.ts";
import { composeTso, retriedTso, type TsoSource } from "./tso.ts";

/** How long a lock is good after its last renewal, by PD's clock. */
export const LOCK_TTL_MS = 300_000;
/** How long after writing the lock its owner looks again: BR's own writers check and write in two steps. */
const SETTLE_MS = 3_000;
/** Part of the lease that its owner does not use: PD's clock and this machine's may run apart by a tenth. */
const MARGIN = 0.1;
/** How often a claim is tried again when the file changes between reading and replacing it. */
const CLAIM_ATTEMPTS = 8;

export interface LockOptions {
  storage: ObjectStorage;
  /** Name of the lock file. */
  name: string;
  tso: TsoSource;
  clock: Clock;
  ttlMs?: number;
  settleMs?: number;
  signal?: AbortSignal | undefined;
}

/**
 * The lease of a backup checkpoint, in BR's file. The file is changed only where it still holds what was read (`replaceIf`), and its owner
 * counts the lease by its own clock from before it asked PD for the time, less a tenth, so two levins never hold it at once, however
 * long an operation is delayed. BR itself overwrites without that care: `confirm` before each write notices.
 */
export class BrLock {
  /** The timestamp of the start; grows from owner to owner. */
  readonly id: bigint;
  private readonly options: Required<Omit<LockOptions, "signal">> & Pick<LockOptions, "signal">;
  private mine: Uint8Array | undefined;
  private leaseEndMs = Number.NEGATIVE_INFINITY;
  private ended: LevinError | undefined;

  private constructor(id: bigint, options: LockOptions) {
    this.id = id;
    this.options = { ttlMs: LOCK_TTL_MS, settleMs: SETTLE_MS, ...options };
  }

  /** Takes the lock. Errors: Levin:Br:ErrLocked (another's), ErrFormat (a broken file), ErrStorage (storage or PD). */
  static async acquire(options: LockOptions): Promise<BrLock> {
    const begunMs = options.clock.monotonicMs();
    const time = await retriedTso(options.tso, options.clock, options.signal);
    const lock = new BrLock(composeTso(time), options);
    try {
      await lock.claim(time.physicalMs, begunMs, true);
      await options.clock.sleep(lock.options.settleMs, options.signal);
      await lock.renew();
      return lock;
    } catch (error) {
      // Nobody is to wait for a lock whose owner gave up; another's file stays.
      await lock.release().catch(() => undefined);
      throw error;
    }
  }

  /** The lease has not run out by this machine's clock and nothing else is known. */
  held(): boolean {
    return this.ended === undefined && this.options.clock.monotonicMs() < this.leaseEndMs;
  }

  /** Milliseconds between renewals. */
  get renewalMs(): number {
    return this.options.ttlMs / 3;
  }

  /** Extends the lease. After Levin:Br:ErrStorage it may be tried again while `held`; any other error means that the lock is lost. */
  async renew(): Promise<void> {
    const begunMs = this.options.clock.monotonicMs();
    const time = await retriedTso(this.options.tso, this.options.clock, this.options.signal);
    try {
      await this.claim(time.physicalMs, begunMs, false);
    } catch (error) {
      const known = LevinError.from(error);
      if (!isStorageError(known)) this.ended = known;
      throw error;
    }
  }

  /** Makes sure that the file is still this owner's, as far as reading it can tell; renews where it is not as it was written. */
  async confirm(): Promise<void> {
    if (this.ended !== undefined) throw this.ended;
    if (!this.held()) throw this.leaseRanOut();
    const found = await this.options.storage.read(this.options.name);
    if (found !== undefined && this.mine !== undefined && equalBytes(found, this.mine)) return;
    await this.renew();
  }

  leaseRanOut(): LevinError {
    return new LevinError("Levin:Br:ErrLockLost", "the lock could not be renewed before it expired");
  }

  /** Removes the file if it is still this owner's; see `dropLock`. */
  async release(): Promise<void> {
    this.ended ??= new LevinError("Levin:Br:ErrLockLost", "the lock was released");
    if (this.mine !== undefined) await dropLock(this.options.storage, this.options.name, this.mine);
  }

  /** Writes the lock with a new expiry, unless the file says that it is another's. */
  private async claim(nowMs: bigint, begunMs: number, mayCreate: boolean): Promise<void> {
    const { storage, name, ttlMs, clock } = this.options;
    const next = printLock({ lockId: this.id, expireAt: nowMs + BigInt(ttlMs) });
    for (let attempt = 0; attempt < CLAIM_ATTEMPTS; attempt++) {
      const found = await storage.read(name);
      if (found !== undefined) this.check(readLock(found, `"${name}"`), nowMs);
      else if (!mayCreate) {
        const path = `${storage.uri.replace(/^file:\/\//, "")}${name}`;
        throw new LevinError("Levin:Br:ErrLockLost", `open ${path}: no such file or directory`, { fields: { path } });
      }
      if (await storage.replaceIf(name, found, next)) {
        this.mine = next;
        this.leaseEndMs = begunMs + ttlMs * (1 - MARGIN);
        if (clock.monotonicMs() >= this.leaseEndMs) throw this.leaseRanOut();
        return;
      }
    }
    throw new LevinError("Levin:Br:ErrLocked", `Cannot take the lock "${storage.uri}${name}": others keep changing it`);
  }

  /** BR's rule: an expired lock may be taken over unless its owner began later; one that is in force is its owner's alone. */
  private check({ lockId, expireAt }: LockFile, nowMs: bigint): void {
    const { storage, name } = this.options;
    const fields = { path: `${storage.uri}${name}`, lockId, expireAt };
    if (expireAt <= nowMs) {
      if (lockId <= this.id) return;
      throw new LevinError(
        "Levin:Br:ErrLocked",
        `There are another BR(${lockId}) running after but setting lock before this one(${this.id}). Please check whether the BR is running. If not, you can retry.`,
        { fields },
      );
    }
    if (lockId === this.id) return;
    // BR joins the storage's address and the name without a slash; the fields have the right path.
    throw new LevinError(
      "Levin:Br:ErrLocked",
      `The existing lock will expire in ${(expireAt - nowMs) / 1000n} seconds. There may be another BR(${lockId}) running. If not, you can wait for the lock to expire, or delete the file \`${storage.uri.replace(/\/$/, "")}${name}\` manually.`,
      { fields },
    );
  }
}

/**
 * Gives a lock free whose file holds `found`: removes it, or says in it that it has expired where the storage cannot remove on a condition.
 * False when it is another's by now.
 */
export async function dropLock(storage: ObjectStorage, name: string, found: Uint8Array): Promise<boolean> {
  if (await storage.removesIf()) return storage.removeIf(name, found);
  return storage.replaceIf(name, found, printLock({ lockId: idOf(found), expireAt: 0n }));
}

function idOf(found: Uint8Array): bigint {
  try {
    return readLock(found, "the lock").lockId;
  } catch {
    return 0n;
  }
}

/** The lock file as it is; undefined when there is none. */
export async function readLockFile(storage: ObjectStorage, name: string): Promise<LockFile | undefined> {
  const bytes = await storage.read(name);
  return bytes === undefined ? undefined : readLock(bytes, `"${name}"`);
}
