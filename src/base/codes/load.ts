import { defineCodes } from "./facts.ts";

export const loadCodes = defineCodes({
  "Levin:Load:ErrConfig": {
    meaning: "A task's configuration is not valid; the message has DM's code.",
    action: "Correct what the message names.",
    retry: "never",
    exit: 2,
  },
  "Levin:Load:ErrMetadata": {
    meaning: "A dump's metadata cannot be read, or the dump is with another worker.",
    action:
      "Check that the dump is whole and in the task's directory (DM adds .TASK to it), or load where the message says.",
    retry: "same",
    exit: 3,
  },
  "Levin:Load:ErrDuplicates": {
    meaning: "A load is complete, but rows were in each other's way.",
    action: "See levin load errors, mend the rows, then levin load resume --accept-duplicates.",
    retry: "never",
    exit: 4,
  },
  "Levin:Load:ErrChecksum": {
    meaning: "A load is complete, but the target holds other pairs than were sent.",
    action: "Compare the tables; to go on as they are, levin load resume --accept-checksum-mismatch.",
    retry: "never",
    exit: 4,
  },
  "Levin:Load:ErrCoordination": {
    meaning: "The sources of a task could not meet, or etcd refused.",
    action:
      "Start the source that the message names, or mend what stores the coordination; then run the same command again.",
    retry: "same",
    exit: 1,
  },
  "Levin:Load:ErrFailed": {
    meaning: "A load failed outside the import itself.",
    action: "Mend what the message names, then run the same command again.",
    retry: "same",
    exit: 1,
  },
  "Levin:Load:ErrControl": {
    meaning: "A running load cannot be asked or told.",
    action: "Check the state directory; where no load runs, start it with levin load run or resume.",
    retry: "never",
    exit: 2,
  },
});
