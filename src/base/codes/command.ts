import { defineCodes } from "./facts.ts";

export const commandCodes = defineCodes({
  "Levin:Internal:ErrUnexpected": {
    meaning: "An error that levin does not know; a bug if it is not the operating system's.",
    action: "Run again; if it stays, report it with the log file.",
    retry: "never",
    exit: 1,
  },
  "Levin:System:ErrCall": {
    meaning: "The operating system refused a call, for example because a port is taken or a directory cannot be made.",
    action: "Mend what the message names, then run the same command again.",
    retry: "never",
    exit: 1,
  },
  "Levin:Command:ErrUsage": {
    meaning: "The command line is not valid.",
    action: "See `levin help COMMAND`.",
    retry: "never",
    exit: 2,
  },
  "Levin:Config:ErrInvalid": {
    meaning: "A configuration value is not valid.",
    action: "Correct what the message names.",
    retry: "never",
    exit: 2,
  },
  "Levin:Config:ErrUnreadable": {
    meaning: "A file that an option or a key names cannot be read.",
    action: "Check the path that the message names and its permissions.",
    retry: "never",
    exit: 2,
  },
  "Levin:Command:ErrInterrupted": {
    meaning: "The run was interrupted; its state is kept.",
    action: "Run the same command again to continue.",
    retry: "never",
    exit: 130,
  },
});
