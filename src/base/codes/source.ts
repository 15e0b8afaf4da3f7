import { defineCodes } from "./facts.ts";

export const sourceCodes = defineCodes({
  "Levin:Source:ErrUnreadable": {
    meaning: "A source file or directory cannot be read.",
    action: "Check the path that the message names, its permissions, and the filter.",
    retry: "never",
    exit: 3,
  },
  "Levin:Source:ErrRemote": {
    meaning:
      "The source is an address of a kind that levin does not read: it imports from files of this machine and from S3-compatible stores.",
    action:
      "Copy the dump to this machine (aws s3 cp --recursive, rclone copy) or mount the store (rclone mount), and name that directory.",
    retry: "never",
    exit: 2,
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
  "Levin:Source:ErrUnsupported": {
    meaning: "A dump contains a statement or an expression that would have to be executed.",
    action: "Export the table again with plain values, or run the statement in a client.",
    retry: "never",
    exit: 4,
  },
  "Levin:Source:ErrChanged": {
    meaning: "A source file is not the one that the import was planned with.",
    action: "Leave the source unchanged while it is imported; start a new import for changed files.",
    retry: "never",
    exit: 4,
  },
  "Levin:Source:ErrWrongTable": {
    meaning: "A file's name and its statements speak of different tables, or two tables cannot be told apart.",
    action: "Correct the file's name, or name the table with a file rule or a route.",
    retry: "never",
    exit: 3,
  },
  "Levin:Source:ErrSchemaFile": {
    meaning: "A schema file does not hold the one statement that it should.",
    action: "Export the schema again, or remove the file and create the table in the target.",
    retry: "never",
    exit: 3,
  },
  "Levin:Source:ErrUnfinished": {
    meaning: "A dump was not written to its end: the export tool was stopped, or the file was cut.",
    action: "Export again. If nothing is missing (the file was split by hand), set levin.allow-unfinished-dump = true.",
    retry: "never",
    exit: 3,
  },
  "Levin:Source:ErrEncoding": {
    meaning: "A source file has bytes that are not valid in its character set.",
    action: "Set the file's character set, correct the bytes, or name a character that replaces them.",
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
