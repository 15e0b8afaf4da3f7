/** The closed list of error codes, one file an area; README's table is compared with it by a test. */
import { brCodes } from "./br.ts";
import { checkCodes } from "./check.ts";
import { clusterCodes } from "./cluster.ts";
import { codecCodes } from "./codec.ts";
import { commandCodes } from "./command.ts";
import { encodeCodes } from "./encode.ts";
import { engineCodes } from "./engine.ts";
import { ingestCodes } from "./ingest.ts";
import { loadCodes } from "./load.ts";
import { schemaCodes } from "./schema.ts";
import { serverCodes } from "./server.ts";
import { sourceCodes } from "./source.ts";
import { storageCodes } from "./storage.ts";

export type { ErrorFacts, RetryClass } from "./facts.ts";

export const errorCodes = {
  ...codecCodes,
  ...commandCodes,
  ...checkCodes,
  ...sourceCodes,
  ...storageCodes,
  ...schemaCodes,
  ...encodeCodes,
  ...engineCodes,
  ...clusterCodes,
  ...ingestCodes,
  ...brCodes,
  ...serverCodes,
  ...loadCodes,
};

export type ErrorCode = keyof typeof errorCodes;
