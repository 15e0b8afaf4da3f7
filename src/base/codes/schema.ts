import { defineCodes } from "./facts.ts";

export const schemaCodes = defineCodes({
  "Levin:Schema:ErrSyntax": {
    meaning: "A statement of a schema file cannot be parsed.",
    action: "Look at the statement at the place that the message names.",
    retry: "never",
    exit: 3,
  },
  "Levin:Schema:ErrRefused": {
    meaning: "A statement breaks a rule of the SQL server: a name taken or unknown, a column or key that cannot be.",
    action: "Correct the statement; the message has TiDB's words and error number.",
    retry: "never",
    exit: 3,
  },
  "Levin:Schema:ErrUnsupported": {
    meaning: "A table uses something that levin cannot import.",
    action: "The message names the table, the column and what is not supported.",
    retry: "never",
    exit: 3,
  },
  "Levin:Schema:ErrUnknownTable": {
    meaning: "There is data for a table that neither the source's schema files nor the target have.",
    action: "Add its schema file, or create the table in the target.",
    retry: "never",
    exit: 3,
  },
});
