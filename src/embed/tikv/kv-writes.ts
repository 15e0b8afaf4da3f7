import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  Action,
  type BatchRollbackRequest,
  type BatchRollbackResponseSchema,
  type CheckTxnStatusRequest,
  type CheckTxnStatusResponseSchema,
  type CommitRequest,
  type CommitResponseSchema,
  type Mutation,
  Op,
  type PrewriteRequest,
  type PrewriteResponseSchema,
  type ResolveLockRequest,
  type ResolveLockResponseSchema,
  type ScanLockRequest,
  type ScanLockResponseSchema,
  type TxnHeartBeatRequest,
  type TxnHeartBeatResponseSchema,
} from "../../../gen/kvrpcpb_pb.ts";
import { equalBytes } from "../../base/mod.ts";
import {
  type Cluster,
  decodeKey,
  LOGICAL_BITS,
  type Lock,
  type Region,
  type StoreState,
  WriteOp,
} from "../state/mod.ts";
import { type KeyError, locked, lockMessage } from "./key-errors.ts";
import { checkRegion } from "./region-check.ts";
import { diskFull } from "./region-errors.ts";

const MAX_TS = 0xffffffffffffffffn;

/** Optimistic transactions of one store: prewrite, commit and what cleans up after a lost client. Keys are raw. */
export class KvWrites {
  readonly #cluster: Cluster;
  readonly #store: StoreState;

  constructor(cluster: Cluster, store: StoreState) {
    this.#cluster = cluster;
    this.#store = store;
  }

  async prewrite(request: PrewriteRequest): Promise<MessageInitShape<typeof PrewriteResponseSchema>> {
    const { region, error } = checkRegion(this.#cluster, this.#store, request.context);
    if (region === undefined) return { regionError: error };
    if (this.#store.diskFull) return { regionError: diskFull(this.#store.id, "NotAllowedOnFull") };
    const errors: KeyError[] = [];
    const locks: Lock[] = [];
    for (const mutation of request.mutations) {
      const conflict = await this.#conflict(mutation, request);
      if (conflict !== undefined) errors.push(conflict);
      else if (mutation.op !== Op.CheckNotExists) locks.push(lockFor(mutation, request));
    }
    if (errors.length > 0) return { errors };
    await this.#cluster.mvcc.lock(locks);
    return {};
  }

  async commit({
    context,
    startVersion,
    keys,
    commitVersion,
  }: CommitRequest): Promise<MessageInitShape<typeof CommitResponseSchema>> {
    const { region, error } = checkRegion(this.#cluster, this.#store, context);
    if (region === undefined) return { regionError: error };
    const locks: Lock[] = [];
    for (const key of keys) {
      const lock = this.#cluster.mvcc.lockOf(key);
      if (lock?.startTs === startVersion) locks.push(lock);
      else if ((await this.#outcome(key, startVersion)).commitTs === 0n) {
        return { error: { txnNotFound: { startTs: startVersion, primaryKey: key }, retryable: "TxnLockNotFound" } };
      }
    }
    await this.#cluster.mvcc.commit(locks, commitVersion);
    return { commitVersion };
  }

  async batchRollback({
    context,
    startVersion,
    keys,
  }: BatchRollbackRequest): Promise<MessageInitShape<typeof BatchRollbackResponseSchema>> {
    const { region, error } = checkRegion(this.#cluster, this.#store, context);
    if (region === undefined) return { regionError: error };
    for (const key of keys) {
      const { commitTs } = await this.#outcome(key, startVersion);
      if (commitTs !== 0n) return { error: { abort: `Committed at ${commitTs}` } };
      await this.#cluster.mvcc.rollback(key, startVersion);
    }
    return {};
  }

  async checkTxnStatus(request: CheckTxnStatusRequest): Promise<MessageInitShape<typeof CheckTxnStatusResponseSchema>> {
    const { region, error } = checkRegion(this.#cluster, this.#store, request.context);
    if (region === undefined) return { regionError: error };
    const { primaryKey, lockTs, currentTs } = request;
    const lock = this.#cluster.mvcc.lockOf(primaryKey);
    if (lock?.startTs === lockTs) {
      const expiresMs = (lock.startTs >> LOGICAL_BITS) + lock.ttlMs;
      if (expiresMs > currentTs >> LOGICAL_BITS) return { lockTtl: lock.ttlMs, lockInfo: lockMessage(lock) };
      await this.#cluster.mvcc.rollback(primaryKey, lockTs);
      return { action: Action.TTLExpireRollback };
    }
    const { commitTs, rolledBack } = await this.#outcome(primaryKey, lockTs);
    if (commitTs !== 0n) return { commitVersion: commitTs };
    if (rolledBack) return {};
    if (!request.rollbackIfNotExist) return { error: { txnNotFound: { startTs: lockTs, primaryKey } } };
    await this.#cluster.mvcc.rollback(primaryKey, lockTs);
    return { action: Action.LockNotExistRollback };
  }

  async resolveLock(request: ResolveLockRequest): Promise<MessageInitShape<typeof ResolveLockResponseSchema>> {
    const { region, error } = checkRegion(this.#cluster, this.#store, request.context);
    if (region === undefined) return { regionError: error };
    const status = new Map(request.txnInfos.map((info) => [info.txn, info.status]));
    if (request.txnInfos.length === 0) status.set(request.startVersion, request.commitVersion);
    for (const lock of this.#locksOf(region)) {
      const commitTs = status.get(lock.startTs);
      if (commitTs === undefined) continue;
      if (request.keys.length > 0 && !request.keys.some((key) => equalBytes(key, lock.key))) continue;
      if (commitTs === 0n) await this.#cluster.mvcc.rollback(lock.key, lock.startTs);
      else await this.#cluster.mvcc.commit([lock], commitTs);
    }
    return {};
  }

  scanLock(request: ScanLockRequest): MessageInitShape<typeof ScanLockResponseSchema> {
    const { region, error } = checkRegion(this.#cluster, this.#store, request.context);
    if (region === undefined) return { regionError: error };
    const end = request.endKey.length === 0 ? undefined : request.endKey;
    const found = this.#cluster.mvcc
      .locksIn(request.startKey, end)
      .filter((lock) => lock.startTs <= request.maxVersion);
    return { locks: (request.limit > 0 ? found.slice(0, request.limit) : found).map(lockMessage) };
  }

  async heartBeat(request: TxnHeartBeatRequest): Promise<MessageInitShape<typeof TxnHeartBeatResponseSchema>> {
    const { region, error } = checkRegion(this.#cluster, this.#store, request.context);
    if (region === undefined) return { regionError: error };
    const lock = this.#cluster.mvcc.lockOf(request.primaryLock);
    if (lock?.startTs !== request.startVersion) {
      return { error: { txnNotFound: { startTs: request.startVersion, primaryKey: request.primaryLock } } };
    }
    if (request.adviseLockTtl <= lock.ttlMs) return { lockTtl: lock.ttlMs };
    await this.#cluster.mvcc.lock([{ ...lock, ttlMs: request.adviseLockTtl }]);
    return { lockTtl: request.adviseLockTtl };
  }

  #locksOf(region: Region): Lock[] {
    const end = region.endKey.length === 0 ? undefined : decodeKey(region.endKey);
    return this.#cluster.mvcc.locksIn(decodeKey(region.startKey) ?? new Uint8Array(0), end);
  }

  /** Why a key cannot be locked by this transaction. */
  async #conflict(mutation: Mutation, request: PrewriteRequest): Promise<KeyError | undefined> {
    const { key, op } = mutation;
    const { startVersion, primaryLock } = request;
    const lock = this.#cluster.mvcc.lockOf(key);
    if (lock !== undefined && lock.startTs !== startVersion) return locked(lock);
    const newest = (await this.#cluster.mvcc.versions(key))[0]?.commitTs ?? 0n;
    const found = await this.#cluster.mvcc.get(key, MAX_TS);
    const conflictCommitTs = found !== undefined && found.commitTs > newest ? found.commitTs : newest;
    if (conflictCommitTs >= startVersion && lock === undefined) {
      const conflict = {
        startTs: startVersion,
        conflictTs: conflictCommitTs,
        key,
        primary: primaryLock,
        conflictCommitTs,
      };
      return { conflict };
    }
    if ((op === Op.Insert || op === Op.CheckNotExists) && found !== undefined) return { alreadyExist: { key } };
    return undefined;
  }

  /** What became of a transaction on a key; commitTs 0 = not committed. */
  async #outcome(key: Uint8Array, startTs: bigint): Promise<{ commitTs: bigint; rolledBack: boolean }> {
    for (const version of await this.#cluster.mvcc.versions(key)) {
      if (version.startTs !== startTs) continue;
      const rolledBack = version.op === WriteOp.rollback;
      return { commitTs: rolledBack ? 0n : version.commitTs, rolledBack };
    }
    return { commitTs: 0n, rolledBack: false };
  }
}

function lockFor(mutation: Mutation, request: PrewriteRequest): Lock {
  const ops: Partial<Record<Op, number>> = { [Op.Del]: WriteOp.delete, [Op.Lock]: WriteOp.lock };
  return {
    key: mutation.key,
    primary: request.primaryLock,
    startTs: request.startVersion,
    ttlMs: request.lockTtl,
    op: ops[mutation.op] ?? WriteOp.put,
    value: mutation.value,
  };
}
