import { defineCodes } from "./facts.ts";

export const ingestCodes = defineCodes({
  "Levin:Ingest:ErrRetriesExhausted": {
    meaning: "A range could not be imported within the allowed retries.",
    action: "The message names region, store and the last cause; mend that and run the same command again.",
    retry: "refresh",
    exit: 1,
  },
  "Levin:Ingest:ErrDiskFull": {
    meaning: "A TiKV store has no room left.",
    action: "Free space on the store that the message names, then run the same command again.",
    retry: "never",
    exit: 1,
  },
  "Levin:Ingest:ErrRefused": {
    meaning: "A TiKV store refused a range in a way that trying again does not mend.",
    action: "The message has the store's words; report it if they do not name something in the cluster.",
    retry: "never",
    exit: 1,
  },
  "Levin:Ingest:ErrSplit": {
    meaning: "A region could not be split at the borders of the import's ranges.",
    action: "The message names region, store and the last cause; mend that and run the same command again.",
    retry: "refresh",
    exit: 1,
  },
  "Levin:Verify:ErrRead": {
    meaning: "The checksum or the pairs of a region could not be read.",
    action: "The message names region, store and the last cause; mend that and run the same command again.",
    retry: "refresh",
    exit: 1,
  },
  "Levin:Verify:ErrChecksum": {
    meaning: "What the cluster holds differs from what was sent.",
    action: "The message names the record or index range that differs; do not use the table.",
    retry: "never",
    exit: 4,
  },
});
