import { createHash, randomBytes } from "node:crypto";
import net from "node:net";
import { Duplex } from "node:stream";
import tls from "node:tls";
import { fromHex, textOf } from "../../../base/mod.ts";
import { binaryRowPacket } from "./binary-row.ts";
import { framePacket, MalformedPacket, PacketReader, PacketSplitter, PacketWriter } from "./packet.ts";
import { parameterLiterals } from "./parameters.ts";
import {
  Capability,
  columnPacket,
  eofPacket,
  errorPacket,
  okPacket,
  SqlError,
  type StatementResult,
  Status,
  textRowPacket,
} from "./result.ts";

/** One client's session as the SQL layer sees it. Statements come as bytes, because they may hold binary strings. */
export interface SqlSession {
  /** Status flags for OK and EOF packets. */
  readonly status: number;
  useDatabase(name: string): Promise<void>;
  /** One packet of text: one statement, or several when the client may send them. They run one after the other, as they are called. */
  statements(sql: Uint8Array, multiStatements: boolean): (() => Promise<StatementResult>)[];
  /** Checks a statement to prepare and counts its `?`. */
  prepare(sql: Uint8Array): number;
  /** Runs a statement with its `?` replaced by literals. */
  executePrepared(sql: Uint8Array, literals: readonly string[]): Promise<StatementResult>;
  /** COM_RESET_CONNECTION. */
  reset(): void;
  /** Ends what runs. */
  interrupt(): void;
  /** Rolls back; when nothing runs. */
  close(): void;
}

/** What a session may want of its client. */
export interface ClientFacts {
  /** CLIENT_FOUND_ROWS. */
  foundRows: boolean;
  address: string;
  /** Id of the collation in its handshake. */
  collation: number;
  /** Of a connection over TLS. */
  tls: { version: string; cipher: string } | undefined;
  /** Cuts the connection, as KILL does. */
  disconnect(): void;
}

/** A client inside of this process. */
export const IN_PROCESS: ClientFacts = {
  foundRows: true,
  address: "127.0.0.1",
  collation: 46,
  tls: undefined,
  disconnect: () => undefined,
};

export interface MysqlServerOptions {
  host: string;
  port: number;
  version: string;
  /** SHA1(SHA1(password)) of a user in hex, "" for no password, undefined when there is no such user. */
  passwordHash(user: string): string | undefined;
  openSession(connectionId: number, user: string, client: ClientFacts): SqlSession;
  tls?: { cert: string; key: string; ca?: string };
  packetSizeMax: number;
}

const CAPABILITIES =
  Capability.longPassword |
  Capability.foundRows |
  Capability.longFlag |
  Capability.connectWithDb |
  Capability.ignoreSpace |
  Capability.protocol41 |
  Capability.interactive |
  Capability.transactions |
  Capability.secureConnection |
  Capability.multiStatements |
  Capability.multiResults |
  Capability.psMultiResults |
  Capability.pluginAuth |
  Capability.connectAttrs;

/** Stop writing rows when the socket holds this much; go on when it has drained. */
const SOCKET_BUFFER_MAX = 1 << 20;

/** As of the first server of a cluster: the server's number in the upper bits, then a count in twos. */
const FIRST_CONNECTION = (1 << 21) + 2;

interface Prepared {
  sql: Uint8Array;
  parameters: number;
  types: number[];
}

/** A MySQL server on a port: handshake 10, native password, TLS, text and prepared statements. */
export async function listenMysql(options: MysqlServerOptions): Promise<{ port: number; close(): Promise<void> }> {
  const sockets = new Set<net.Socket>();
  let nextId = FIRST_CONNECTION;
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.setNoDelay(true);
    new MysqlConnection(socket, nextId, options).start();
    nextId += 2;
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as net.AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

class MysqlConnection {
  #socket: net.Socket;
  readonly #id: number;
  readonly #options: MysqlServerOptions;
  readonly #splitter: PacketSplitter;
  readonly #salt: Uint8Array;
  #sequence = 0;
  #capabilities = 0;
  #collation = 46;
  #session: SqlSession | undefined;
  readonly #prepared = new Map<number, Prepared>();
  #nextStatement = 1;
  /** Asked for the password in the other form. */
  #pendingLogin: { user: string; database: string } | undefined;
  /** The client has gone; commands of it that have not begun are dropped. */
  #closed = false;
  /** Commands run one after the other, in the order they came. */
  #tail: Promise<void> = Promise.resolve();

  constructor(socket: net.Socket, id: number, options: MysqlServerOptions) {
    this.#socket = socket;
    this.#id = id;
    this.#options = options;
    this.#splitter = new PacketSplitter(options.packetSizeMax);
    // The client takes the salt as text up to a zero byte.
    this.#salt = new Uint8Array(randomBytes(20)).map((b) => ((b & 0x7f) % 94) + 33);
  }

  start(): void {
    this.#listen();
    const capabilities = this.#options.tls === undefined ? CAPABILITIES : CAPABILITIES | Capability.ssl;
    this.#write(
      new PacketWriter()
        .uint(10, 1)
        .nullText(this.#options.version)
        .uint(this.#id, 4)
        .bytes(this.#salt.subarray(0, 8))
        .uint(0, 1)
        .uint(capabilities & 0xffff, 2)
        .uint(46, 1)
        .uint(Status.autocommit, 2)
        .uint(capabilities >>> 16, 2)
        .uint(21, 1)
        .zeros(10)
        .bytes(this.#salt.subarray(8))
        .uint(0, 1)
        .nullText("mysql_native_password")
        .finish(),
    );
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on("data", (bytes: Uint8Array) => {
      if (socket !== this.#socket) return;
      let packets: { sequence: number; payload: Uint8Array }[];
      try {
        packets = this.#splitter.push(bytes);
      } catch {
        socket.destroy();
        return;
      }
      for (const { sequence, payload } of packets) {
        this.#tail = this.#tail.then(() => this.#onPacket(sequence, payload)).catch(() => void this.#socket.destroy());
      }
    });
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      if (socket !== this.#socket) return;
      this.#closed = true;
      this.#session?.interrupt();
      // Behind the command that runs: it may still take locks.
      this.#tail = this.#tail.then(() => this.#session?.close());
    });
  }

  #write(payload: Uint8Array): boolean {
    const { bytes, next } = framePacket(payload, this.#sequence);
    this.#sequence = next;
    return this.#socket.write(bytes);
  }

  async #onPacket(sequence: number, payload: Uint8Array): Promise<void> {
    if (this.#closed) return;
    this.#sequence = (sequence + 1) & 0xff;
    if (this.#session === undefined) return this.#login(payload);
    try {
      await this.#command(payload, this.#session);
    } catch (error) {
      this.#write(errorPacket(toSqlError(error)));
    }
  }

  async #login(payload: Uint8Array): Promise<void> {
    if (this.#pendingLogin !== undefined)
      return this.#finishLogin(this.#pendingLogin.user, this.#pendingLogin.database, payload);
    const reader = new PacketReader(payload);
    this.#capabilities = reader.uint(4);
    reader.bytes(4);
    this.#collation = reader.uint(1);
    reader.bytes(23);
    if (reader.left === 0) return this.#startTls();
    const user = reader.nullText();
    const token =
      this.#capabilities & Capability.pluginAuthLenenc ? reader.lengthCodedBytes() : reader.bytes(reader.uint(1));
    const database = this.#capabilities & Capability.connectWithDb && reader.left > 0 ? reader.nullText() : "";
    const plugin =
      this.#capabilities & Capability.pluginAuth && reader.left > 0 ? reader.nullText() : "mysql_native_password";
    if (plugin !== "mysql_native_password" && token.length !== 20) return this.#askNativePassword(user, database);
    return this.#finishLogin(user, database, token);
  }

  #askNativePassword(user: string, database: string): void {
    this.#pendingLogin = { user, database };
    this.#write(
      new PacketWriter().uint(0xfe, 1).nullText("mysql_native_password").bytes(this.#salt).uint(0, 1).finish(),
    );
  }

  async #finishLogin(user: string, database: string, token: Uint8Array): Promise<void> {
    const hash = this.#options.passwordHash(user);
    if (hash === undefined || !checkNativePassword(hash, this.#salt, token)) {
      const using = token.length > 0 ? "YES" : "NO";
      this.#write(
        errorPacket(
          new SqlError(1045, `Access denied for user '${user}'@'127.0.0.1' (using password: ${using})`, "28000"),
        ),
      );
      this.#socket.end();
      return;
    }
    const session = this.#options.openSession(this.#id, user, {
      foundRows: (this.#capabilities & Capability.foundRows) !== 0,
      address: this.#socket.remoteAddress ?? "127.0.0.1",
      collation: this.#collation,
      tls: tlsFacts(this.#socket),
      disconnect: () => void this.#socket.destroy(),
    });
    try {
      if (database !== "") await session.useDatabase(database);
    } catch (error) {
      session.close();
      this.#write(errorPacket(toSqlError(error)));
      this.#socket.end();
      return;
    }
    this.#session = session;
    this.#write(okPacket({ kind: "ok" }, session.status));
  }

  #startTls(): void {
    const { tls: material } = this.#options;
    if (material === undefined) throw new MalformedPacket("TLS asked for but not offered");
    const plain = this.#socket;
    plain.removeAllListeners("data");
    plain.removeAllListeners("close");
    // The client's hello may have come with its request for TLS: what is over goes before what the socket brings from now on.
    const secure = new tls.TLSSocket(withHead(plain, this.#splitter.takeRest()), {
      isServer: true,
      cert: material.cert,
      key: material.key,
      ca: material.ca,
    });
    this.#socket = secure;
    this.#listen();
  }

  async #command(payload: Uint8Array, session: SqlSession): Promise<void> {
    const body = payload.subarray(1);
    const ok = () => void this.#write(okPacket({ kind: "ok" }, session.status));
    switch (payload[0]) {
      case 0x01:
        this.#socket.end();
        return;
      case 0x02:
        await session.useDatabase(textOf(body));
        return ok();
      case 0x03: {
        const statements = session.statements(body, (this.#capabilities & Capability.multiStatements) !== 0);
        for (let i = 0; i < statements.length; i++)
          await this.#result(await statements[i]!(), session, i < statements.length - 1, false);
        return;
      }
      case 0x0e:
        return ok();
      case 0x1f:
        this.#prepared.clear();
        session.reset();
        return ok();
      case 0x16:
        return this.#prepare(body, session);
      case 0x17: {
        const reader = new PacketReader(body);
        const statement = this.#prepared.get(reader.uint(4));
        if (statement === undefined) throw new SqlError(1243, "Unknown prepared statement handler");
        reader.bytes(5);
        const { literals, types } = parameterLiterals(reader, statement.parameters, statement.types);
        statement.types = types;
        return this.#result(await session.executePrepared(statement.sql, literals), session, false, true);
      }
      case 0x19:
        this.#prepared.delete(new PacketReader(body).uint(4));
        return;
      case 0x1a:
        return ok();
      case 0x1b:
        this.#write(eofPacket(0, session.status));
        return;
      default:
        throw new SqlError(1047, `command ${payload[0]} not supported now`, "08S01");
    }
  }

  #prepare(sql: Uint8Array, session: SqlSession): void {
    const parameters = session.prepare(sql);
    const id = this.#nextStatement++;
    this.#prepared.set(id, { sql, parameters, types: [] });
    this.#write(
      new PacketWriter().uint(0, 1).uint(id, 4).uint(0, 2).uint(parameters, 2).uint(0, 1).uint(0, 2).finish(),
    );
    if (parameters === 0) return;
    for (let i = 0; i < parameters; i++) this.#write(columnPacket({ name: "?", type: 253 }));
    this.#write(eofPacket(0, session.status));
  }

  async #result(result: StatementResult, session: SqlSession, more: boolean, binary: boolean): Promise<void> {
    const status = session.status | (more ? 8 : 0);
    if (result.kind === "ok") {
      this.#write(okPacket(result, status));
      return;
    }
    this.#write(new PacketWriter().lengthCoded(result.columns.length).finish());
    for (const column of result.columns) {
      this.#write(columnPacket(column));
    }
    this.#write(eofPacket(0, status));
    for await (const row of result.rows) {
      this.#write(binary ? binaryRowPacket(row, result.columns) : textRowPacket(row));
      if (this.#socket.writableLength > SOCKET_BUFFER_MAX) await this.#drained();
    }
    this.#write(eofPacket(result.warnings ?? 0, status));
  }

  #drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error("client gone"));
      const done = () => {
        this.#socket.off("close", gone);
        resolve();
      };
      const gone = () => {
        this.#socket.off("drain", done);
        reject(new Error("client gone"));
      };
      this.#socket.once("drain", done);
      this.#socket.once("close", gone);
    });
  }
}

function tlsFacts(socket: net.Socket): ClientFacts["tls"] {
  if (!(socket instanceof tls.TLSSocket)) return undefined;
  return { version: socket.getProtocol() ?? "", cipher: socket.getCipher()?.name ?? "" };
}

function toSqlError(error: unknown): SqlError {
  if (error instanceof SqlError) return error;
  return new SqlError(1105, error instanceof Error ? error.message : String(error));
}

const sha1 = (...parts: Uint8Array[]): Uint8Array => {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
};

/** `token` = SHA1(password) XOR SHA1(salt ‖ SHA1(SHA1(password))). */
function checkNativePassword(hash: string, salt: Uint8Array, token: Uint8Array): boolean {
  if (hash === "") return token.length === 0;
  if (token.length !== 20) return false;
  const stored = fromHex(hash);
  const mask = sha1(salt, stored);
  const candidate = sha1(token.map((b, i) => b ^ mask[i]!));
  return candidate.every((b, i) => b === stored[i]);
}

/** The socket as a stream that begins with bytes already read from it. */
function withHead(socket: net.Socket, head: Uint8Array): Duplex {
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (bytes, encoding, done) => void socket.write(bytes, encoding, () => done()),
    final: (done) => void socket.end(() => done()),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  if (head.length > 0) stream.push(head);
  socket.on("data", (bytes) => {
    if (!stream.push(bytes)) socket.pause();
  });
  socket.on("end", () => void stream.push(null));
  socket.on("close", () => void stream.destroy());
  return stream;
}
