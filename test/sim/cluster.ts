/** The embedded cluster with its TiDB front, reached without sockets by the processes of a simulation. */
import { createHash } from "node:crypto";
import { type Clock, LevinError, type Random, textOf, toHex, utf8 } from "../../src/base/mod.ts";
import { makeRowEncoder } from "../../src/cli/sandbox-rows.ts";
import type { Connect, HttpAnswer, HttpRequest } from "../../src/cluster/mod.ts";
import {
  Cluster,
  type FaultPlan,
  FaultRunner,
  frontStorage,
  openPdState,
  type PdState,
  pdRoutes,
  storeRoutes,
} from "../../src/embed/mod.ts";
import { pdHttp } from "../../src/embed/pd/mod.ts";
import {
  answerStatusPort,
  type Front,
  IN_PROCESS,
  openFrontState,
  openSession,
  SqlError,
} from "../../src/embed/tidb/mod.ts";
import { memoryKvDb } from "../../src/kvdb/mod.ts";
import type { RpcTransport } from "../../src/rpc/mod.ts";
import type { SqlResult, Tidb } from "../../src/tidb/mod.ts";
import { directTransport, type Handlers, handlersOf } from "./direct-rpc.ts";
import type { Life } from "./life.ts";
import { SimSql } from "./sql.ts";

export interface SimClusterOptions {
  clock: Clock;
  random: Random;
  stores: number;
  pds: number;
  plan: FaultPlan;
  /** PD knows no label rules: schedulers are paused. */
  oldPd?: boolean;
}

const LABEL_RULE = /\/region-label\/rule/;
/** For how long what is said to PD and to a store holds at most. */
const PAUSE_MS = 300_000;
const IMPORT_MODE_MS = 600_000;

/** What each front of each run answers alike, and is slow to make. */
const constantAnswers = new Map<string, SqlResult>();

/** A session whose statements are carried out as long as the server believes in its client. */
interface SimConnection {
  session: ReturnType<typeof openSession>;
  isOpen: boolean;
  /** The client has lost it, and finds out at once. */
  isLost: boolean;
}

export class SimCluster {
  readonly cluster: Cluster;
  readonly pdState: PdState;
  readonly faults: FaultRunner;
  readonly front: Front;
  /** Connections of imports by statements. */
  readonly sql: SimSql;
  /** What the stores refused although real ones would have taken it to their harm. */
  readonly harms: string[];
  /** Addresses that nobody listens at, until when. */
  readonly #downUntilMs = new Map<string, number>();
  readonly #clock: Clock;
  #connections = 0;
  readonly #handlers = new Map<string, Handlers>();
  /** Until when requests that came late may hold: label rules by id, stores by address, all else by path. */
  readonly #lateUntilMs = new Map<string, number>();

  private constructor(
    options: SimClusterOptions,
    cluster: Cluster,
    pd: PdState,
    faults: FaultRunner,
    front: Front,
    harms: string[],
  ) {
    this.#clock = options.clock;
    this.cluster = cluster;
    this.pdState = pd;
    this.faults = faults;
    this.front = front;
    this.sql = new SimSql(front, options.clock, () => this.isDown("tidb"));
    this.harms = harms;
  }

  static async open(options: SimClusterOptions): Promise<SimCluster> {
    const { clock, random } = options;
    const harms: string[] = [];
    const cluster = await Cluster.open(memoryKvDb(), {
      clock,
      random,
      stores: options.stores,
      onHarm: (text) => void harms.push(text),
      ...(options.oldPd ? { storeVersion: "5.4.0" } : {}),
    });
    const faults = new FaultRunner(cluster, options.plan);
    const pd = await openPdState(cluster, options.pds);
    for (const [i, member] of pd.members.entries()) member.clientUrl = `http://pd-${i}:2379`;
    for (const store of cluster.stores.values()) store.address = `tikv-${store.id}:20160`;
    const storage = frontStorage(cluster);
    const front = await openFrontState(cluster, {
      storage,
      clock,
      makeRowEncoder,
      newCollations: true,
      host: "tidb",
      port: 4000,
      statusPort: 10080,
      pd: pd.members.map((_, i) => `pd-${i}:2379`),
    });
    return new SimCluster(options, cluster, pd, faults, front, harms);
  }

  /** Nobody listens at the address for so long. */
  takeDown(address: string, ms: number): void {
    this.#downUntilMs.set(address, this.#clock.monotonicMs() + ms);
  }

  /** Ends all that passes by itself. */
  heal(): void {
    this.#downUntilMs.clear();
    this.faults.heal();
  }

  isDown(address: string): boolean {
    return (this.#downUntilMs.get(address) ?? 0) > this.#clock.monotonicMs();
  }

  connectOf(life: Life): Connect {
    return (address) => this.#transport(address, life);
  }

  sendHttpOf(life: Life): (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer> {
    return (request, signal) => {
      const url = new URL(request.url);
      const failure = () => Object.assign(new Error(`read ECONNRESET ${url.host}`), { code: "ECONNRESET" });
      const send = async (isLate: boolean): Promise<HttpAnswer> => {
        const member = this.pdState.members.find((one) => one.clientUrl === url.origin);
        if (member === undefined || this.isDown(url.host)) throw failure();
        const target = `${url.pathname}${url.search}`;
        const { method, body = "" } = request;
        const note = (ms: number): void => {
          if (method !== "GET") this.#note(pauseOf(url, body), isLate, ms);
        };
        if (isLate) note(Number.POSITIVE_INFINITY);
        try {
          const answer = await pdHttp(this.pdState, member)({ method, target, body, headers: {} });
          return { status: answer.status, body: answer.body };
        } finally {
          note(PAUSE_MS);
        }
      };
      const run = async (): Promise<HttpAnswer> => {
        signal.throwIfAborted();
        return await send(false);
      };
      return life.step("pd-http", `${request.method} ${url.pathname}`, run, failure, () => send(true));
    };
  }

  /** What came late may hold until its limit, also before its answer is on the way; what comes in time says what holds. */
  #note(what: string, isLate: boolean, ms: number): void {
    if (isLate) this.#lateUntilMs.set(what, this.#clock.nowMs() + ms);
    else this.#lateUntilMs.delete(what);
  }

  #mayHold(what: string, untilMs: number): boolean {
    return untilMs <= (this.#lateUntilMs.get(what) ?? 0);
  }

  statusPortOf(life: Life): (path: string) => Promise<string> {
    const failure = () =>
      new LevinError("Levin:Tidb:ErrUnavailable", "Cannot read from TiDB's status port: read ECONNRESET");
    return (path) =>
      life.step(
        "status-port",
        path.split("/")[1] ?? "",
        async () => {
          if (this.isDown("tidb")) throw failure();
          const { status, body } = answerStatusPort(this.front, path);
          if (status !== 200) throw new LevinError("Levin:Tidb:ErrStatusPort", `TiDB answered ${status}: ${body}`);
          return body;
        },
        failure,
      );
  }

  tidbOf(life: Life): Tidb {
    const session: Tidb["session"] = async (use) => {
      const opened = openSession(this.front, ++this.#connections, "root", IN_PROCESS);
      const connection = { session: opened, isOpen: true, isLost: false };
      const close = async (): Promise<void> => {
        connection.isOpen = false;
        opened.interrupt();
        opened.close();
      };
      // A server finds out some time later that its client is gone.
      const forget = life.atDeath(() => life.later(close));
      try {
        const result = await use((sql, values) => {
          if (values !== undefined) throw new Error("the simulated TiDB takes no placeholders");
          return this.#query(life, connection, sql);
        });
        await close();
        return result;
      } catch (error) {
        life.later(close);
        throw error;
      } finally {
        forget();
      }
    };
    return {
      address: "tidb:4000",
      session,
      query: (sql, values) => session((query) => query(sql, values)),
      close: () => Promise.resolve(),
    };
  }

  async #query(life: Life, connection: SimConnection, sql: string): Promise<SqlResult> {
    const { session } = connection;
    const late = async (): Promise<void> => {
      if (connection.isOpen && !this.isDown("tidb")) await session.statements(utf8(sql), false)[0]!();
    };
    const failure = () => {
      connection.isLost = true;
      return new LevinError("Levin:Tidb:ErrUnavailable", "Cannot reach TiDB at tidb:4000: PROTOCOL_CONNECTION_LOST");
    };
    if (connection.isLost) throw failure();
    return await life.step(
      "sql",
      sql.slice(0, 20),
      async () => {
        if (this.isDown("tidb")) throw failure();
        try {
          const known = constantAnswers.get(sql);
          if (known !== undefined) return known;
          const [run] = session.statements(utf8(sql), false);
          const result = await run!();
          if (result.kind === "ok") {
            return { columns: [], rows: [], affectedRows: Number(result.affectedRows ?? 0n) };
          }
          const rows: (string | null)[][] = [];
          for await (const row of result.rows) {
            rows.push(row.map((value) => (value instanceof Uint8Array ? textOf(value) : value)));
          }
          const answer = { columns: result.columns.map((column) => column.name), rows, affectedRows: 0 };
          if (/^(SHOW VARIABLES|SELECT VERSION\(\))/.test(sql)) constantAnswers.set(sql, answer);
          return answer;
        } catch (thrown) {
          if (!(thrown instanceof SqlError)) throw thrown;
          const { errno, sqlState, message } = thrown;
          throw new LevinError("Levin:Tidb:ErrSql", `TiDB refused: error ${errno} ${message} in "${sql}"`, {
            fields: { errno, sqlState },
          });
        }
      },
      failure,
      late,
    );
  }

  #handlersAt(address: string): Handlers {
    const known = this.#handlers.get(address);
    if (known !== undefined) return known;
    const member = this.pdState.members.find(({ clientUrl }) => clientUrl === `http://${address}`);
    const store = [...this.cluster.stores.values()].find((candidate) => candidate.address === address);
    const routes =
      member !== undefined
        ? pdRoutes(this.pdState, this.faults, member)
        : store !== undefined
          ? storeRoutes(this.cluster, store, this.faults)
          : undefined;
    if (routes === undefined) throw new Error(`the simulation has no ${address}`);
    const handlers = handlersOf(routes);
    this.#handlers.set(address, handlers);
    return handlers;
  }

  #transport(address: string, life: Life): RpcTransport {
    const inner = directTransport(this.#handlersAt(address), {
      target: address,
      clock: life.clock(this.#clock),
      gone: life.gone.signal,
    });
    const lost = () =>
      new LevinError("Levin:Rpc:ErrUnavailable", `Cannot call ${address}: read ECONNRESET`, {
        fields: { kind: "lost", target: address, grpcCode: 14, grpcText: "lost" },
      });
    const call = <T>(method: string, run: () => Promise<T>, again?: () => Promise<unknown>): Promise<T> =>
      life.step(
        "rpc",
        method,
        async () => {
          if (this.isDown(address)) throw lost();
          if (method === "SwitchMode") this.#note(address, false, 0);
          return await run();
        },
        lost,
        again,
      );
    const late = async (...[method, , , , input]: Parameters<RpcTransport["unary"]>): Promise<unknown> => {
      if (this.isDown(address)) throw lost();
      const options = { target: address, clock: this.#clock, gone: new AbortController().signal };
      const transport = directTransport(this.#handlersAt(address), options);
      const isSwitch = method.name === "SwitchMode";
      if (isSwitch) this.#note(address, true, Number.POSITIVE_INFINITY);
      try {
        return await transport.unary(method, undefined, undefined, undefined, input);
      } finally {
        if (isSwitch) this.#note(address, true, IMPORT_MODE_MS);
      }
    };
    return {
      target: address,
      close: () => inner.close(),
      unary: (...args) =>
        call(
          args[0].name,
          () => inner.unary(...args),
          () => late(...args),
        ),
      stream: async (...args) => {
        const answer = await call(args[0].name, () => inner.stream(...args));
        return { ...answer, message: guarded(answer.message, life) };
      },
      openUpload: async (method, options) => {
        const upload = await call(method.name, () => inner.openUpload(method, options));
        const forget = life.atDeath(() => upload.abort(lost()));
        const message = (run: () => Promise<void>) => life.step("message", method.name, run, lost);
        return {
          send: (value) => message(() => upload.send(value)),
          sendEncoded: (parts) => message(() => upload.sendEncoded(parts)),
          finish: () => call(`${method.name} answer`, () => upload.finish()).finally(forget),
          abort: (reason) => {
            forget();
            upload.abort(reason);
          },
        };
      },
    };
  }

  /** Hex key → hex value of all that a reader of tables sees now. */
  async pairs(): Promise<Map<string, string>> {
    const found = await this.cluster.reader.scan(utf8("t"), utf8("u"), await this.cluster.tso.next());
    return new Map(found.map(({ key, value }) => [toHex(key), toHex(value)]));
  }

  /** Keys of tables with more than one version, hex: the same row was ingested with two timestamps. */
  async repeatedKeys(): Promise<string[]> {
    const out: string[] = [];
    for await (const [first] of this.cluster.reader.repeated(utf8("t"), utf8("u"), 0n)) out.push(toHex(first!.key));
    return out;
  }

  /** The smallest id that TiDB would give next in a table, of all its allocators that were ever used. */
  async nextId(table: string): Promise<bigint> {
    const opened = openSession(this.front, ++this.#connections, "root", IN_PROCESS);
    const [run] = opened.statements(utf8(`SHOW TABLE d.${table} NEXT_ROW_ID`), false);
    const result = await run!();
    if (result.kind === "ok") return 0n;
    const at = result.columns.findIndex(({ name }) => name === "NEXT_GLOBAL_ROW_ID");
    let largest = 0n;
    for await (const row of result.rows) {
      const value = row[at]!;
      const id = BigInt(value instanceof Uint8Array ? textOf(value) : value);
      if (id > largest) largest = id;
    }
    return largest;
  }

  /** What a statement gives; undefined where the table is not there. */
  async select(sql: string): Promise<(string | null)[][] | undefined> {
    const opened = openSession(this.front, ++this.#connections, "root", IN_PROCESS);
    try {
      const result = await opened.statements(utf8(sql), false)[0]!();
      if (result.kind === "ok") return [];
      const rows: (string | null)[][] = [];
      for await (const row of result.rows) rows.push(row.map((v) => (v instanceof Uint8Array ? textOf(v) : v)));
      return rows;
    } catch (thrown) {
      if (thrown instanceof SqlError && (thrown.errno === 1146 || thrown.errno === 1049)) return undefined;
      throw thrown;
    } finally {
      opened.close();
    }
  }

  /** What a run must have put back. */
  leftovers(): string[] {
    const now = this.#clock.nowMs();
    const { settings } = this.pdState;
    const until = ({ labels }: { labels: { expiresMs?: number }[] }): number =>
      Math.max(...labels.map(({ expiresMs }) => expiresMs ?? Number.POSITIVE_INFINITY));
    const stores = [...this.cluster.stores.values()].filter(
      ({ importModeUntilMs: ms, address }) => ms > now && !this.#mayHold(address, ms),
    );
    const rules = settings
      .rules()
      .filter((rule) => rule.id.startsWith("levin-") && !this.#mayHold(rule.id, until(rule)));
    const paused = settings.paused().filter((name) => !this.#mayHold(`/pd/api/v1/schedulers/${name}`, now));
    const overrides = [...settings.ttlConfig].filter(
      ([, { expiresMs }]) => expiresMs > now && !this.#mayHold("/pd/api/v1/config", expiresMs),
    );
    return [
      ...stores.map((store) => `store ${store.id} in import mode`),
      ...rules.map((rule) => `label rule ${rule.id}`),
      ...paused.map((name) => `${name} paused`),
      ...overrides.map(([name]) => `override of ${name}`),
    ];
  }

  /** All limits of what came late are over. */
  forgetLate(): void {
    this.#lateUntilMs.clear();
  }

  /** Runs statements before the import; the pairs that each of them adds. */
  async prepare(statements: readonly string[]): Promise<Map<string, string>[]> {
    const session = openSession(this.front, ++this.#connections, "root", IN_PROCESS);
    const added: Map<string, string>[] = [];
    let before = new Map<string, string>();
    for (const statement of ["SET allow_auto_random_explicit_insert = 1", ...statements]) {
      const [run] = session.statements(utf8(statement), false);
      await run!();
      const now = await this.pairs();
      added.push(new Map([...now].filter(([key]) => !before.has(key))));
      before = now;
    }
    session.close();
    return added.slice(1);
  }
}

/** What a request is about: a label rule, a scheduler, or the configuration. */
function pauseOf(url: URL, body: string): string {
  if (!LABEL_RULE.test(url.pathname)) return url.pathname;
  const id =
    body === "" ? decodeURIComponent(url.pathname.split("/").at(-1)!) : (JSON.parse(body) as { id?: string }).id;
  return id ?? "";
}

function guarded<T>(messages: AsyncIterable<T>, life: Life): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]: () => {
      const inner = messages[Symbol.asyncIterator]();
      const forget = life.atDeath(() => void inner.return?.()?.catch(() => undefined));
      return {
        next: () => life.guard(inner.next()),
        return: () => {
          forget();
          return inner.return?.() ?? Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}

export function digestOf(pairs: ReadonlyMap<string, string>): string {
  const hash = createHash("sha256");
  for (const key of [...pairs.keys()].sort()) hash.update(`${key}=${pairs.get(key)}\n`);
  return hash.digest("hex").slice(0, 16);
}
