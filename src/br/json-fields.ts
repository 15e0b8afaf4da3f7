/** Fields of a document that go into a field of an object as they are; `null` leaves it as it was. */
import type { JsonReader } from "./json-reader.ts";

/** Names of the fields of `T` that a value of `V` may be put into. */
type FieldOf<T, V> = { [K in keyof T]-?: V extends T[K] ? K : never }[keyof T];

function into<T, V>(target: T, field: FieldOf<T, V>, read: () => V | undefined): () => void {
  return () => {
    const value = read();
    if (value !== undefined) (target as Record<FieldOf<T, V>, V>)[field] = value;
  };
}

export function uint<T>(json: JsonReader, target: T, field: FieldOf<T, bigint>): () => void {
  return into(target, field, () => json.uint64());
}

export function int<T>(json: JsonReader, target: T, field: FieldOf<T, bigint>): () => void {
  return into(target, field, () => json.int64());
}

export function text<T>(json: JsonReader, target: T, field: FieldOf<T, string>): () => void {
  return into(target, field, () => json.string());
}

/** An array; null for `null`. */
export function listOf<T>(json: JsonReader, item: () => T): T[] | null {
  const items: T[] = [];
  return json.array(() => void items.push(item())) ? items : null;
}
