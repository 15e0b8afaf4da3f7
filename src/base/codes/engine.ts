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
    action: "Mend what the message names (space, limits, permissions, disk), then run the same command again.",
    retry: "never",
    exit: 1,
  },
  "Levin:Engine:ErrAddon": {
    meaning:
      "The LevelDB addon inside the program cannot be loaded, usually because the temporary directory is mounted noexec.",
    action: "Set TMPDIR to a directory on a file system that allows execution, for example TMPDIR=$PWD.",
    retry: "never",
    exit: 2,
  },
  "Levin:State:ErrLocked": {
    meaning:
      "Another levin process uses the state directory, or brings the same files into the same tables by statements.",
    action: "Wait for it to end, or stop it.",
    retry: "never",
    exit: 2,
  },
  "Levin:State:ErrDisk": {
    meaning: "A file of the state directory cannot be read or written.",
    action: "Mend the cause that the message names (space, permissions, disk), then run the same command again.",
    retry: "never",
    exit: 1,
  },
  "Levin:State:ErrDiskQuota": {
    meaning:
      "The sorted pairs of one table, or of a batch of small ones, do not fit the disk quota, and conflict.strategy needs all of them.",
    action: "Raise tikv-importer.disk-quota (or set it to 0), then run the same command again.",
    retry: "never",
    exit: 1,
  },
  "Levin:State:ErrPairsLost": {
    meaning:
      "Sorted pairs that the journal speaks of are gone from the disk, and conflicts with rows or among them were resolved already.",
    action: "Bring the directory back, or empty the tables of the import and start again with --fresh.",
    retry: "never",
    exit: 1,
  },
  "Levin:State:ErrFormat": {
    meaning: "A file of the state directory is damaged or of another format version.",
    action: "Use the levin that wrote it, or start again with --fresh.",
    retry: "never",
    exit: 2,
  },
  "Levin:State:ErrForeign": {
    meaning: "Lightning's checkpoints say that another program has begun to import a table and has not finished.",
    action:
      "Finish with that program, or forget its work with `levin ctl --checkpoint-error-destroy` or `--checkpoint-remove` and empty the table.",
    retry: "never",
    exit: 3,
  },
  "Levin:State:ErrDone": {
    meaning: "The state directory belongs to an import that was done, and the target has changed since.",
    action: "To import again into emptied tables, say --fresh.",
    retry: "never",
    exit: 3,
  },
  "Levin:State:ErrUnfinished": {
    meaning:
      "By statements: an import of the same files into the same tables has begun and not ended, and is not the one that the state directory would continue.",
    action:
      "Continue that one with its state directory; or empty the tables first (TRUNCATE TABLE or DELETE), then begin anew (in the same state directory with --fresh; a load: `levin load reset --yes`).",
    retry: "never",
    exit: 3,
  },
  "Levin:State:ErrChanged": {
    meaning: "The state directory belongs to another import: the source, schema or options differ.",
    action:
      "The message lists what differs; undo that, have the table forgotten (levin reset STATE-DIR TABLE --yes), use another --state-dir, or start again with --fresh.",
    retry: "never",
    exit: 2,
  },
});
