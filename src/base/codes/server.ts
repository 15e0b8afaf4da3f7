import { defineCodes } from "./facts.ts";

export const serverCodes = defineCodes({
  "Levin:Server:ErrListen": {
    meaning: "The HTTP server cannot listen where it was told to.",
    action: "Choose another --status-addr, or end what listens there.",
    retry: "never",
    exit: 2,
  },
  "Levin:Server:ErrRequest": {
    meaning: "A request to the HTTP server cannot be carried out.",
    action: "Correct the request as the message says.",
    retry: "never",
    exit: 2,
  },
});
