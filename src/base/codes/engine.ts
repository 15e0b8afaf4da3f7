import { defineCodes } from "./facts.ts";

export const engineCodes = defineCodes({
  "Levin:Engine:ErrCorrupt": {
    meaning: "A block of sorted pairs in the state directory is damaged.",
    action: "Check the disk, then run again with a fresh state directory.",
    retry: "never",
    exit: 1,
  },
  "Levin:Engine:ErrDisk": {
    meaning: "The state directory cannot be written.",
    action: "Free space or choose another directory, then run the same command again.",
    retry: "never",
    exit: 1,
  },
  "Levin:State:ErrLocked": {
    meaning: "Another levin process uses the state directory.",
    action: "Wait for it to end, or stop it.",
    retry: "never",
    exit: 2,
  },
});
