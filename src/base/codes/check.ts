import { defineCodes } from "./facts.ts";

export const checkCodes = defineCodes({
  "Levin:Check:ErrTargetNotEmpty": {
    meaning: "A table that is to be imported already has rows.",
    action: "Empty the table, or leave it out.",
    retry: "never",
    exit: 3,
  },
  "Levin:Check:ErrTargetChanged": {
    meaning: "Others brought rows into a table after the import had looked at it, and before its first pair was in.",
    action: "Empty the table, or allow rows there (`tikv-importer.incremental-import`), and begin anew with `--fresh`.",
    retry: "never",
    exit: 3,
  },
  "Levin:Check:ErrFailed": {
    meaning: "A check of source, host or target failed before anything was imported.",
    action:
      "Mend what the message names; `levin check DIR` shows all of it. check-requirements = false leaves the checks out.",
    retry: "never",
    exit: 3,
  },
});
