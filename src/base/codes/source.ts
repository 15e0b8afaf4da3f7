import { defineCodes } from "./facts.ts";

export const sourceCodes = defineCodes({
  "Levin:Source:ErrUnreadable": {
    meaning: "A source file or directory cannot be read.",
    action: "Check the path and its permissions.",
    retry: "never",
    exit: 3,
  },
  "Levin:Source:ErrUnknownFile": {
    meaning: "A file in the source directory fits no rule, so levin does not know which table it belongs to.",
    action: "Rename or remove it, or add a file rule for it.",
    retry: "never",
    exit: 3,
  },
  "Levin:Source:ErrSyntax": {
    meaning: "A data file does not follow its format.",
    action: "Look at the file at the place that the message names.",
    retry: "never",
    exit: 4,
  },
  "Levin:Source:ErrCorrupt": {
    meaning: "A compressed file is truncated or damaged.",
    action: "Export or copy the file again.",
    retry: "never",
    exit: 4,
  },
  "Levin:Source:ErrFieldCount": {
    meaning: "A row has more or fewer fields than its columns.",
    action: "Correct the row that the message names, or the file's column list or header.",
    retry: "never",
    exit: 4,
  },
  "Levin:Source:ErrUnknownColumn": {
    meaning: "A column list or header names a column that the table does not have.",
    action: "Correct the column list or header, or the table.",
    retry: "never",
    exit: 4,
  },
});
