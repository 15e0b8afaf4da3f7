/** What the sessions of a front share beside the data: transactions with their locks, and automatic ids. */
export { type AllocatorKind, type AutoIdStore, AutoIds, hasIncrement } from "./auto-ids.ts";
export { KeyLocks, type LockOwner } from "./key-locks.ts";
export { type Change, type Pair, type ReadView, Transaction, viewAt } from "./transaction.ts";
