import { defineCodes } from "./facts.ts";

export const brCodes = defineCodes({
  "Levin:Br:ErrFormat": {
    meaning: "A document of a BR checkpoint is not what the format says.",
    action:
      "See the message for the document; restore it from a copy, or remove the checkpoint and start the job anew.",
    retry: "never",
    exit: 4,
  },
  "Levin:Br:ErrDamaged": {
    meaning: "Parts of a BR checkpoint cannot be read, and strict reading was asked for.",
    action: "Run levin checkpoint verify for the list; without --strict what is damaged is left out and done again.",
    retry: "never",
    exit: 4,
  },
  "Levin:Br:ErrCipher": {
    meaning: "The data of a BR checkpoint cannot be decrypted or encrypted with the given method and key.",
    action: "Give the method and key that the checkpoint was written with.",
    retry: "never",
    exit: 2,
  },
  "Levin:Br:ErrMissing": {
    meaning: "There is no such BR checkpoint, or a document of it is missing.",
    action: "Check the directory, the task name or the address of the cluster.",
    retry: "never",
    exit: 2,
  },
  "Levin:Br:ErrExists": {
    meaning: "A BR checkpoint or a backup is already there.",
    action: "Resume it with the settings it was made with, remove it, or choose another place.",
    retry: "never",
    exit: 2,
  },
  "Levin:Br:ErrConfigChanged": {
    meaning: "The settings of a resumed backup differ from those it was begun with.",
    action: "Use the same settings, or remove the checkpoint and begin anew.",
    retry: "never",
    exit: 2,
  },
  "Levin:Br:ErrStorage": {
    meaning: "The storage or the cluster that holds a BR checkpoint cannot be read or written.",
    action: "Mend the cause that the message names, then run the same command again.",
    retry: "same",
    exit: 1,
  },
  "Levin:Br:ErrLocked": {
    meaning: "Another process holds the lock of a BR checkpoint.",
    action: "Wait until it ends or its lock expires; levin checkpoint unlock removes the lock of a dead one.",
    retry: "same",
    exit: 3,
  },
  "Levin:Br:ErrLockLost": {
    meaning: "The lock of a BR checkpoint was lost while the job ran.",
    action: "Make sure that no other process works on the same checkpoint, then run the same command again.",
    retry: "never",
    exit: 1,
  },
  "Levin:Br:ErrAppend": {
    meaning: "A finished range or checksum could not be handed to the checkpoint.",
    action: "The message names the first cause; the ranges written before are safe.",
    retry: "never",
    exit: 1,
  },
  "Levin:Br:ErrFlush": {
    meaning: "The last ranges or checksums of a BR checkpoint could not be written before its runner ended.",
    action: "Mend the cause that the message names; what was not written is done again by the next run.",
    retry: "never",
    exit: 1,
  },
});
