import { integerOf, type Value } from "../query/values.ts";
import { SqlError } from "../wire/mod.ts";
import type { SessionState } from "./state.ts";

/** NEXTVAL, LASTVAL and SETVAL. Values are not cached: each one is the next after the last one given out. */
export function sequenceValue(
  state: SessionState,
  work: string,
  name: { db: string | undefined; table: string },
  value: Value | undefined,
): string | null {
  const { db, table } = state.table(name);
  const { sequence } = table;
  if (!sequence) throw new SqlError(1347, `'${db}.${table.name.O}' is not SEQUENCE`);
  const { autoIds } = state.front;
  if (work === "lastval") return state.lastSequence.get(table.id) ?? null;
  const increment = BigInt(sequence.sequence_increment);
  const last = autoIds.sequence(table.id);
  if (work === "setval") {
    const wanted = integerOf(value!);
    const ahead = last === undefined || (increment > 0n ? wanted > last : wanted < last);
    if (!ahead) return null;
    autoIds.setSequence(table.id, wanted);
    return String(wanted);
  }
  const [low, high] = [BigInt(sequence.sequence_min_value), BigInt(sequence.sequence_max_value)];
  let next =
    last === undefined ? BigInt(sequence.sequence_start) : aligned(last, BigInt(sequence.sequence_start), increment);
  if (next > high || next < low) {
    if (!sequence.sequence_cycle) throw new SqlError(4135, `Sequence '${db}.${table.name.O}' has run out`);
    next = increment > 0n ? low : high;
  }
  autoIds.setSequence(table.id, next);
  state.lastSequence.set(table.id, String(next));
  return String(next);
}

/** The next value behind `last` of those that the sequence has from its start on. */
function aligned(last: bigint, start: bigint, increment: bigint): bigint {
  const size = increment < 0n ? -increment : increment;
  const rest = (((last - start) % size) + size) % size;
  return increment > 0n ? last - rest + increment : last - rest + (rest === 0n ? increment : 0n);
}
