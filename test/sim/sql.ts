/** SQL connections of simulated processes, as a server keeps them: the statements of one run in order, its end comes behind them. */
import { type Clock, type LevinError, textOf, utf8 } from "../../src/base/mod.ts";
import { type Front, IN_PROCESS, openSession, SqlError, type SqlSession } from "../../src/embed/tidb/mod.ts";
import {
  type SqlLink,
  type SqlResult,
  type Tidb,
  type TidbOptions,
  tidbError,
  variablesStatement,
} from "../../src/tidb/mod.ts";
import type { Life } from "./life.ts";

/** What a server does with one statement: takes its time, or answers with an error that another try may not meet. */
export interface SqlFault {
  delayMs?: number;
  refusal?: SqlError;
}

/** `isLink`: on a connection that brings rows in. */
export type SqlPlan = (sql: string, isLink: boolean) => SqlFault | undefined;

type StatementPlan = (sql: string) => SqlFault | undefined;

interface Answer extends SqlResult {
  warnings: number;
}

/** As `connectTidb` does it. */
const GOODBYE_MS = 3_000;
/** Behind those that the cluster gives. */
const FIRST_CONNECTION = 1_000_000;
/** What each front of each run answers alike, and is slow to make. */
const CONSTANT = /^(SHOW VARIABLES|SELECT VERSION\(\))/;
const constantAnswers = new Map<string, Answer>();
const HEAD_CHARS = 120;

/** The server's end of a connection. */
class ServerSide {
  readonly #session: SqlSession;
  readonly #clock: Clock;
  readonly #plan: StatementPlan;
  readonly #onClose: () => void;
  #tail: Promise<unknown> = Promise.resolve();
  isOpen = true;

  constructor(session: SqlSession, clock: Clock, plan: StatementPlan, onClose: () => void) {
    this.#session = session;
    this.#clock = clock;
    this.#plan = plan;
    this.#onClose = onClose;
  }

  run(sql: Uint8Array): Promise<Answer> {
    const answer = this.#tail.then(() => this.#execute(sql));
    this.#tail = answer.catch(() => undefined);
    return answer;
  }

  /** Ends what waits; the session goes behind what runs. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#session.interrupt();
    this.#tail = this.#tail.then(() => this.#session.close());
    this.#onClose();
  }

  async #execute(sql: Uint8Array): Promise<Answer> {
    this.#demandOpen();
    const head = textOf(sql.subarray(0, HEAD_CHARS));
    const { delayMs = 0, refusal } = this.#plan(head) ?? {};
    if (delayMs > 0) await this.#clock.sleep(delayMs);
    this.#demandOpen();
    if (refusal !== undefined) {
      const endsAll = refusal.errno === 1213 || head === "COMMIT";
      if (endsAll) await this.#session.statements(utf8("ROLLBACK"), false)[0]!();
      throw refusal;
    }
    if (!CONSTANT.test(head)) return await this.#answer(sql);
    const text = textOf(sql);
    const answer = constantAnswers.get(text) ?? (await this.#answer(sql));
    constantAnswers.set(text, answer);
    return answer;
  }

  async #answer(sql: Uint8Array): Promise<Answer> {
    const result = await this.#session.statements(sql, false)[0]!();
    const { warnings = 0 } = result;
    if (result.kind === "ok") {
      return { columns: [], rows: [], affectedRows: Number(result.affectedRows ?? 0n), warnings };
    }
    const rows: (string | null)[][] = [];
    for await (const row of result.rows) {
      rows.push(row.map((value) => (value instanceof Uint8Array ? textOf(value) : value)));
    }
    return { columns: result.columns.map(({ name }) => name), rows, affectedRows: 0, warnings };
  }

  #demandOpen(): void {
    if (!this.isOpen) throw new Error("the connection is gone");
  }
}

/** The client's end. */
class ClientSide {
  readonly #life: Life;
  readonly #server: ServerSide;
  readonly #isDown: () => boolean;
  readonly #options: TidbOptions;
  readonly #cut = Promise.withResolvers<never>();
  readonly #forget: () => void;
  isLost = false;

  constructor(life: Life, server: ServerSide, isDown: () => boolean, options: TidbOptions) {
    this.#life = life;
    this.#server = server;
    this.#isDown = isDown;
    this.#options = options;
    this.#cut.promise.catch(() => undefined);
    // A server finds out some time later that its client is gone.
    this.#forget = life.atDeath(() => life.later(async () => server.close()));
  }

  /** Neither end has given it up. */
  get isUsable(): boolean {
    return !this.isLost && this.#server.isOpen;
  }

  async query(statement: Uint8Array | string): Promise<Answer> {
    const sql = typeof statement === "string" ? utf8(statement) : statement.slice();
    const head = textOf(sql.subarray(0, HEAD_CHARS));
    const failure = (): LevinError => {
      this.isLost = true;
      return tidbError({ code: "PROTOCOL_CONNECTION_LOST", message: "connection lost" }, this.#options, undefined);
    };
    if (this.isLost) throw failure();
    const run = async (): Promise<Answer> => {
      if (this.#isDown()) throw failure();
      try {
        return await this.#server.run(sql);
      } catch (thrown) {
        if (!this.#server.isOpen) throw failure();
        if (!(thrown instanceof SqlError)) throw thrown;
        const { errno, sqlState, message } = thrown;
        throw tidbError({ errno, sqlState, message }, this.#options, head);
      }
    };
    const late = async (): Promise<unknown> => (this.#isDown() ? undefined : await this.#server.run(sql));
    return await Promise.race([this.#life.step("sql", head.slice(0, 20), run, failure, late), this.#cut.promise]);
  }

  /** Whatever runs goes on at the server, which hears of the end some time later. */
  destroy(): void {
    if (!this.#leave()) return;
    this.#life.later(async () => this.#server.close());
  }

  /** Says goodbye. */
  end(): void {
    if (this.#leave()) this.#server.close();
  }

  #left = false;
  #leave(): boolean {
    if (this.#left) return false;
    this.#left = true;
    this.isLost = true;
    this.#forget();
    this.#cut.reject(tidbError({ code: "PROTOCOL_CONNECTION_LOST", message: "closed" }, this.#options, undefined));
    return true;
  }

  get hasLeft(): boolean {
    return this.#left;
  }
}

export class SimSql {
  readonly #front: Front;
  readonly #clock: Clock;
  readonly #isDown: () => boolean;
  readonly #servers = new Set<ServerSide>();
  #clients: ClientSide[] = [];
  #count = FIRST_CONNECTION;
  plan: SqlPlan = () => undefined;

  constructor(front: Front, clock: Clock, isDown: () => boolean) {
    this.#front = front;
    this.#clock = clock;
    this.#isDown = isDown;
  }

  /** The server is gone, and with it all that its sessions had not committed. */
  restart(): void {
    for (const server of [...this.#servers]) server.close();
  }

  get unclosed(): number {
    return this.#clients.filter(({ hasLeft }) => !hasLeft).length;
  }

  /** Connections that were not closed since the last call; of a process that has ended. */
  takeUnclosed(): number {
    return this.#clients.splice(0).filter(({ hasLeft }) => !hasLeft).length;
  }

  async #open(life: Life, options: TidbOptions, isLink: boolean): Promise<ClientSide> {
    if (!life.isAlive) return await new Promise<never>(() => undefined);
    const session = openSession(this.#front, ++this.#count, "root", { ...IN_PROCESS, foundRows: false });
    const plan = (sql: string) => this.plan(sql, isLink);
    const server: ServerSide = new ServerSide(session, this.#clock, plan, () => this.#servers.delete(server));
    this.#servers.add(server);
    const client = new ClientSide(life, server, this.#isDown, options);
    this.#clients.push(client);
    return client;
  }

  /** As `openSqlLink`. */
  async openLink(life: Life, options: TidbOptions): Promise<SqlLink> {
    const client = await this.#open(life, options, true);
    try {
      await client.query("SET NAMES utf8mb4 COLLATE 'utf8mb4_bin'");
      const setup = variablesStatement(options.sessionVariables ?? {});
      if (setup !== undefined) await client.query(setup);
    } catch (error) {
      client.destroy();
      throw error;
    }
    return {
      run: async (statement) => await client.query(statement),
      rows: async (sql) => (await client.query(sql)).rows,
      destroy: () => client.destroy(),
    };
  }

  /** As `connectTidb`: connections go back into a pool with what their session remembers. */
  async connect(life: Life, options: TidbOptions, signal: AbortSignal | undefined): Promise<Tidb> {
    const idle: ClientSide[] = [];
    const setup = variablesStatement(options.sessionVariables ?? {});
    const run = async (client: ClientSide, sql: string): Promise<SqlResult> => {
      if (signal === undefined) return await client.query(sql);
      const over = new AbortController();
      const interrupt = (): void => client.destroy();
      if (signal.aborted) {
        const patience = life.clock(this.#clock).sleep(GOODBYE_MS, over.signal);
        patience.then(interrupt, () => undefined);
      } else signal.addEventListener("abort", interrupt, { once: true });
      try {
        return await client.query(sql);
      } finally {
        over.abort();
        signal.removeEventListener("abort", interrupt);
      }
    };
    const take = async (): Promise<ClientSide> => {
      for (let known = idle.pop(); known !== undefined; known = idle.pop()) {
        if (known.isUsable) return known;
        known.end();
      }
      const client = await this.#open(life, options, false);
      if (setup === undefined) return client;
      await run(client, setup).catch((error) => {
        client.destroy();
        throw error;
      });
      return client;
    };
    const session: Tidb["session"] = async (use) => {
      const client = await take();
      try {
        const result = await use((sql, values) => {
          if (values !== undefined) throw new Error("the simulated TiDB takes no placeholders");
          return run(client, sql);
        });
        idle.push(client);
        return result;
      } catch (error) {
        if ((error as LevinError).code === "Levin:Tidb:ErrSql") idle.push(client);
        else client.destroy();
        throw error;
      }
    };
    const tidb: Tidb = {
      address: `${options.host}:${options.port}`,
      session,
      query: (sql, values) => session((query) => query(sql, values)),
      close: async () => {
        for (const client of idle.splice(0)) client.end();
      },
    };
    try {
      await tidb.query("SELECT 1");
      return tidb;
    } catch (error) {
      await tidb.close();
      throw error;
    }
  }
}
