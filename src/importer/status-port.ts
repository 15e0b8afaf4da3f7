import { LevinError } from "../base/mod.ts";
import { member, parseJson } from "../cluster/mod.ts";
import type { ReceiveParts } from "../tidb/mod.ts";
import type { ImportEnvironment, ImportOptions } from "./options.ts";
import { patiently } from "./patient-tidb.ts";

type Options = Pick<ImportOptions, "tidb" | "statusPort" | "retryDeadlineMs">;
type Environment = Pick<ImportEnvironment, "clock" | "random" | "signal" | "emit" | "world">;

/** A TiDB that starts opens both of its ports within this time. */
const PORTS_APART_MS = 4_000;
const PROBE_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 3_000;

/**
 * A path of TiDB's status port, with patience for a TiDB that restarts; without, where the SQL port answers all the while, as then the
 * status port is configured wrong or closed. With `receive` the body's parts go there.
 */
export async function readStatusPort(
  options: Options,
  env: Environment,
  path: string,
  patienceMs = options.retryDeadlineMs,
  receive?: ReceiveParts,
): Promise<string> {
  let sqlSinceMs: number | undefined;
  const hopeless = async (failure: LevinError): Promise<LevinError | undefined> => {
    if (!(await answersSql(options, env))) {
      sqlSinceMs = undefined;
      return undefined;
    }
    const nowMs = env.clock.monotonicMs();
    sqlSinceMs ??= nowMs;
    return nowMs - sqlSinceMs < PORTS_APART_MS ? undefined : onlySqlAnswers(options, failure);
  };
  try {
    return await patiently({ ...env, patienceMs, hopeless }, () =>
      env.world.getStatusPort(options.statusPort, path, receive),
    );
  } catch (thrown) {
    const isUnavailable = thrown instanceof LevinError && thrown.code === "Levin:Tidb:ErrUnavailable";
    throw isUnavailable && sqlSinceMs !== undefined ? onlySqlAnswers(options, thrown) : thrown;
  }
}

function onlySqlAnswers({ tidb, statusPort }: Options, failure: LevinError): LevinError {
  // A server that refuses a client's certificate hangs up behind the handshake.
  const certificates =
    statusPort.tls === undefined ? "" : ", and are the certificates of [security] those that it takes";
  const question = `is tidb.status-port right and open from here${certificates}?`;
  const message = `${failure.message}, while SQL answers at ${tidb.host}:${tidb.port}; ${question}`;
  return new LevinError("Levin:Tidb:ErrStatusPort", message, { cause: failure, fields: failure.fields });
}

/** On a new connection: those of before may be of a TiDB that is gone. A refusal is an answer. */
async function answersSql({ tidb }: Options, env: Environment): Promise<boolean> {
  try {
    const connection = await env.world.connectTidb({
      ...tidb,
      connectionsMax: 1,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
    });
    await connection.close();
    return true;
  } catch (thrown) {
    return thrown instanceof LevinError && thrown.code !== "Levin:Tidb:ErrUnavailable";
  }
}

/** Throws `Levin:Tidb:ErrStatusPort` within seconds where what is configured as TiDB's status port is something else, or nothing. */
export async function demandStatusPort(options: Options, env: Environment): Promise<void> {
  const timeoutMs = Math.min(options.statusPort.timeoutMs, PROBE_TIMEOUT_MS);
  const impatient = { ...options, statusPort: { ...options.statusPort, timeoutMs } };
  const text = await readStatusPort(impatient, env, "/status");
  let version: unknown;
  try {
    version = member(parseJson(text), "version");
  } catch {
    // Not even JSON.
  }
  if (typeof version === "string") return;
  const address = `${options.statusPort.host}:${options.statusPort.port}`;
  const message = `What answers at ${address} is not TiDB's status port: "/status" gave ${JSON.stringify(text.slice(0, 60))}`;
  throw new LevinError("Levin:Tidb:ErrStatusPort", message, { fields: { address } });
}
