import { defineCodes } from "./facts.ts";

export const codecCodes = defineCodes({
  "Levin:Codec:ErrCorrupt": {
    meaning: "Bytes do not follow the layout that they should have (a key, a row, an index value, binary JSON).",
    action: "The bytes were not written by TiDB for this table, or are damaged; compare the table definition.",
    retry: "never",
    exit: 4,
  },
});
