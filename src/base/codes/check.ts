import { defineCodes } from "./facts.ts";

export const checkCodes = defineCodes({
  "Levin:Check:ErrTargetNotEmpty": {
    meaning: "A table that is to be imported already has rows.",
    action: "Empty the table, or leave it out.",
    retry: "never",
    exit: 3,
  },
});
