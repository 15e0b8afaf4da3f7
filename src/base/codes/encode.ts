import { defineCodes } from "./facts.ts";

export const encodeCodes = defineCodes({
  "Levin:Encode:ErrValue": {
    meaning: "A value cannot be stored in its column.",
    action: "Correct the value that the message names, the column, or the SQL mode.",
    retry: "never",
    exit: 4,
  },
  "Levin:Encode:ErrNoPartition": {
    meaning: "A row belongs to no partition of its table.",
    action: "Correct the row that the message names, or add a partition for it.",
    retry: "never",
    exit: 4,
  },
  "Levin:Encode:ErrColumnTwice": {
    meaning: "A column list or header names a column twice.",
    action: "Correct the column list or header.",
    retry: "never",
    exit: 4,
  },
  "Levin:Encode:ErrDuplicateKey": {
    meaning: "Two rows have the same primary key or the same value in a unique index.",
    action: "Remove one of the two rows.",
    retry: "never",
    exit: 4,
  },
  "Levin:Encode:ErrTooManyConflicts": {
    meaning: "More rows are in the way of others than conflict.threshold allows.",
    action: "Look at reports/conflicts.ndjson in the state directory; correct the source or raise the limit.",
    retry: "never",
    exit: 4,
  },
  "Levin:Encode:ErrTooManyErrors": {
    meaning: "More rows have values that cannot be cast than lightning.max-error allows.",
    action: "Look at reports/type-errors.ndjson in the state directory; correct the rows or raise the limit.",
    retry: "never",
    exit: 4,
  },
});
