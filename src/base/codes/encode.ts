import { defineCodes } from "./facts.ts";

export const encodeCodes = defineCodes({
  "Levin:Encode:ErrValue": {
    meaning: "A value cannot be stored in its column.",
    action: "Correct the value that the message names, the column, or the SQL mode.",
    retry: "never",
    exit: 4,
  },
  "Levin:Encode:ErrDuplicateKey": {
    meaning: "Two rows have the same primary key or the same value in a unique index.",
    action: "Remove one of the two rows.",
    retry: "never",
    exit: 4,
  },
});
