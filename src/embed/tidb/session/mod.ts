/** The SQL layer of the TiDB front: sessions, SHOW, SET, ADMIN, made-up tables, and the status port. */
export type { DatabaseInfo, DdlContext, Front, FrontCatalog, FrontStorage, RegionFacts, Warning } from "./front.ts";
export { openSession } from "./session.ts";
export { answerStatusPort, listenStatusPort, losslessJson } from "./status-port.ts";
